'use strict';
// Rounds of one race: a load reads the source, the source changes, the key is invalidated, the load ends; in whatever
// order the random delays give. Then nobody may be given the old value any more.

const { delay } = require('./until');
const { RandomValues } = require('./random-value');

/**
 * What makes the value of a lane's key invalid, with the options that the loads of the lane have.
 * @type {Record<string, { options?: (lane: number) => object, script?: string,
 *   invalidate: (cache: any, key: string, lane: number, version: number) => Promise<unknown> }>}
 */
const WAYS = {
  delete: { invalidate: (cache, key) => cache.delete(key) },
  'a soft delete': {
    options: () => ({ staleIfError: 60 }),
    invalidate: (cache, key) => cache.delete(key, { soft: true }),
  },
  deleteMany: { invalidate: (cache, key) => cache.deleteMany([key, `${key}:other`]) },
  set: { invalidate: (cache, key, _lane, version) => cache.set(key, version) },
  'a tag': {
    options: (lane) => ({ tags: [`lane${lane}`, 'all'] }),
    invalidate: (cache, _key, lane) => cache.invalidateTag(`lane${lane}`),
  },
  'a tag of the result': {
    options: () => ({ tagsOf: true }),
    invalidate: (cache, _key, lane) => cache.invalidateTag(`lane${lane}`),
  },
  'a tag of the context': {
    options: () => ({ setTags: true }),
    invalidate: (cache, _key, lane) => cache.invalidateTags([`lane${lane}`, 'unused']),
  },
  'the namespace': { invalidate: (cache) => cache.clear() },
  'a pattern': { invalidate: (cache, _key, lane) => cache.invalidatePattern(`lane${lane}:*`) },
};

/**
 * Runs at the reader's side, perhaps in a process of its own: a load of the key, until its value is stored or refused.
 * Closes over nothing.
 * @param {any} here with `cache`, `delay`, and `source` or `openSource`
 */
async function load(here, { lane, key, hold, options, refresh }) {
  const cache = here.cache.namespace(`lane${lane}`);
  here.source ??= await here.openSource(here);
  const { tagsOf, setTags, ...rest } = options;
  let loading;
  const answer = await cache.getOrSet(
    key,
    (context) => {
      loading = (async () => {
        const version = await here.source.read(key);
        await here.delay(hold);
        if (setTags) context.setTags([`lane${lane}`]);
        return version;
      })();
      return loading;
    },
    {
      ...rest,
      ...(tagsOf ? { tags: () => [`lane${lane}`] } : {}),
      ...(refresh ? { refreshAhead: '1h' } : {}),
      jitter: 0,
    },
  );
  // A refresh goes on when the caller has its answer.
  if (refresh) await here.delay(3);
  if (loading !== undefined) await loading;
  await here.delay(1);
  await cache.health();
  return { answer, loaded: await loading };
}

/** What a read gives at that side, when everything that was sent before it has arrived. */
async function look(here, { lane, key }) {
  const cache = here.cache.namespace(`lane${lane}`);
  await cache.health();
  return [await cache.get(key), cache.peek(key)];
}

/** For tests in this process: the same without a copy of the function. */
const local = (here) => ({ run: (script, ...args) => script(here, ...args) });

/**
 * @param {object} race
 * @param {string} race.way
 * @param {{ run: Function }} race.reader
 * @param {any} race.cache that invalidates
 * @param {{ read: Function, write: Function }} race.source
 * @param {number} [race.rounds]
 * @param {number} [race.lanes] rounds at the same time, each on keys of its own
 * @param {number} [race.seed]
 */
async function runRaces({ way, reader, cache, source, rounds = 1000, lanes = 25, seed = 1 }) {
  const { options = () => ({}), invalidate } = WAYS[way];
  const outcome = { rounds: 0, overtaken: 0, stale: [], wrong: [] };
  const lane = async (number) => {
    const { random } = new RandomValues(seed * 1000 + number);
    const own = cache.namespace(`lane${number}`);
    let version = 0;
    for (let round = 0; round < rounds / lanes; round++) {
      const key = `lane${number}:${way}:${round % 3}`;
      const details = { lane: number, key, hold: random() * 4, options: options(number) };
      await source.write(key, ++version);
      await invalidate(own, key, number, version);
      // Half of the rounds: the load is a refresh of a value that is served meanwhile.
      const refresh = random() < 0.5;
      if (refresh) await reader.run(load, { ...details, hold: 0 });
      const old = version;
      let ended = false;
      const loading = reader.run(load, { ...details, refresh }).then((result) => {
        ended = true;
        return result;
      });
      await delay(random() * 5);
      await source.write(key, ++version);
      const overlaps = !ended;
      await invalidate(own, key, number, version);
      const { loaded } = await loading;
      if (overlaps && loaded === old) outcome.overtaken++;
      const seen = [...(await reader.run(look, details)), await own.get(key), own.peek(key)];
      if (seen.some((value) => value !== undefined && value !== version)) outcome.stale.push({ round, seen, version });
      const { answer } = await reader.run(load, { ...details, hold: 0 });
      if (answer !== version) outcome.wrong.push({ round, answer, version });
      outcome.rounds++;
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  return outcome;
}

module.exports = { WAYS, runRaces, local };
