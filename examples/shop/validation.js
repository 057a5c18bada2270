'use strict';
// Reads what clients send. Whatever is not valid is a 400 that names the field.

const { HttpError } = require('./errors');
const { SORT_ORDERS } = require('./queries');

const MAX_ID = 2 ** 31 - 1;
const PRODUCT_FIELDS = ['name', 'price', 'stock', 'categoryId'];
// eslint-disable-next-line no-control-regex
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;

const refuse = (message) => {
  throw new HttpError(400, message);
};

const isIntegerIn = (value, min, max) => Number.isInteger(value) && value >= min && value <= max;

function readInteger(text, name, min, max) {
  const value = typeof text === 'string' && /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  return isIntegerIn(value, min, max) ? value : refuse(`${name} must be an integer from ${min} to ${max}.`);
}

function readChoice(value, name, choices) {
  return choices.includes(value) ? value : refuse(`${name} must be one of ${choices.join(', ')}.`);
}

function readText(value, name, maxLength) {
  const text = typeof value === 'string' ? value.trim() : '';
  const isValid = text.length > 0 && text.length <= maxLength && !CONTROL_CHARACTER.test(text);
  return isValid ? text : refuse(`${name} must be a text of 1 to ${maxLength} characters, without control characters.`);
}

const readId = (text) => readInteger(text, 'id', 1, MAX_ID);

/** The query of a list of products, normalised: equal lists have equal queries, and so one cache entry. */
function readListQuery({ page = '1', limit = '20', sort = 'name', category, search }) {
  return {
    page: readInteger(page, 'page', 1, 10_000),
    limit: readInteger(limit, 'limit', 1, 100),
    sort: readChoice(sort, 'sort', SORT_ORDERS),
    category: category === undefined ? null : readInteger(category, 'category', 1, MAX_ID),
    search: search === undefined ? null : readText(search, 'search', 100).toLowerCase(),
  };
}

/** The body of PUT /api/products/:id: all four fields, and no others. */
function readProduct(body) {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) refuse('The body must be a JSON object.');
  const unknown = Object.keys(body).find((field) => !PRODUCT_FIELDS.includes(field));
  if (unknown !== undefined) refuse(`${unknown} is not one of ${PRODUCT_FIELDS.join(', ')}.`);

  const { price, stock, categoryId } = body;
  const isPrice = Number.isFinite(price) && price >= 0 && price <= 1_000_000 && Number(price.toFixed(2)) === price;
  if (!isPrice) refuse('price must be a number from 0 to 1000000 with at most two decimals.');
  if (!isIntegerIn(stock, 0, 1_000_000)) refuse('stock must be an integer from 0 to 1000000.');
  if (!isIntegerIn(categoryId, 1, MAX_ID)) refuse('categoryId must be the id of a category.');
  return { name: readText(body.name, 'name', 200), price, stock, categoryId };
}

module.exports = { readId, readListQuery, readProduct, readChoice };
