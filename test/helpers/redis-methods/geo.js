'use strict';
// Places on the globe.

const near = (number) => expect.closeTo(number, 2);
const SICILY = ['geo', 'FROMLONLAT', 15, 37, 'BYRADIUS', 200, 'km', 'ASC'];

module.exports = [
  ['geoadd', ['geo', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'withdist'], 2],
  ['geoadd', ['geo', 'XX', 13.361389, 38.115556, 'Palermo'], 0],
  ['geodist', ['geo', 'Palermo', 'withdist'], near(166_274.15)],
  ['geodist', ['geo', 'Palermo', 'withdist', 'km'], near(166.27)],
  ['geodist', ['geo', 'Palermo', 'no'], null],
  ['geohash', ['geo', 'Palermo', 'no'], ['sqc8b49rny0', null]],
  ['geopos', ['geo', 'Palermo', 'no'], [[near(13.36), near(38.12)], null]],
  ['geosearch', SICILY, ['withdist', 'Palermo']],
  ['geosearch', ['no', ...SICILY.slice(1)], []],
  ['geosearch', ['no', ...SICILY.slice(1), 'WITHCOORD'], []],
  ['geosearch', ['geo', 'FROMMEMBER', 'withdist', 'BYBOX', 1, 1, 'm'], ['withdist']],
  ['geosearch', [...SICILY, 'WITHDIST'], [{ member: 'withdist', distance: near(56.44) }, { member: 'Palermo', distance: near(190.44) }]], // prettier-ignore
  ['geosearch', [...SICILY, 'COUNT', 1, 'withcoord', 'WITHHASH', 'WITHDIST'],
    [{ member: 'withdist', distance: near(56.44), hash: 3_479_447_370_796_909, position: [near(15.09), near(37.5)] }]], // prettier-ignore
  ['geosearchstore', ['found', ...SICILY], 2],
];
