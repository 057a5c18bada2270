'use strict';
// HTTP dates, strictly: https://www.rfc-editor.org/rfc/rfc9110.html#section-5.6.7
// Date.parse accepts far more (other zones, missing commas), and what it accepts would count as freshness.

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH = MONTHS.join('|');
const TIME = '(\\d{2}):(\\d{2}):(\\d{2})';
const IMF_FIXDATE = new RegExp(`^(?:mon|tue|wed|thu|fri|sat|sun), (\\d{2}) (${MONTH}) (\\d{4}) ${TIME} gmt$`);
const RFC850_DATE = new RegExp(
  `^(?:mon|tues|wednes|thurs|fri|satur|sun)day, (\\d{2})-(${MONTH})-(\\d{2}) ${TIME} gmt$`,
);
const ASCTIME_DATE = new RegExp(`^(?:mon|tue|wed|thu|fri|sat|sun) (${MONTH}) ([ \\d]\\d) ${TIME} (\\d{4})$`);

/**
 * Milliseconds since the epoch; NaN for what is not an HTTP date.
 * @param {string} text
 * @param {number} [now] decides the century of two-digit years
 * @returns {number}
 */
function parseHttpDate(text, now = Date.now()) {
  const date = text.toLowerCase();
  let match = IMF_FIXDATE.exec(date);
  if (match) return toTime(Number(match[3]), match[2], match[1], match, 4);
  match = RFC850_DATE.exec(date);
  if (match) return toTime(fullYear(Number(match[3]), now), match[2], match[1], match, 4);
  match = ASCTIME_DATE.exec(date);
  if (match) return toTime(Number(match[6]), match[1], match[2], match, 3);
  return NaN;
}

/**
 * A year that seems to be more than 50 years ahead is the past one with the same digits.
 * @param {number} digits
 * @param {number} now
 */
function fullYear(digits, now) {
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + digits;
  return year > thisYear + 50 ? year - 100 : year;
}

/**
 * @param {number} year
 * @param {string} monthName
 * @param {string} dayText
 * @param {RegExpExecArray} match
 * @param {number} hourGroup where hour, minute and second are
 */
function toTime(year, monthName, dayText, match, hourGroup) {
  const month = MONTHS.indexOf(monthName);
  const day = Number(dayText);
  const [hour, minute, second] = [0, 1, 2].map((offset) => Number(match[hourGroup + offset]));
  if (hour > 23 || minute > 59 || second > 60) return NaN;
  const time = Date.UTC(year, month, day, hour, minute, second);
  return new Date(Date.UTC(year, month, day)).getUTCDate() === day ? time : NaN;
}

module.exports = { parseHttpDate };
