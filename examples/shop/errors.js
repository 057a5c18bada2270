'use strict';
// Every error is answered as JSON, `{ error: { status, message } }`, and never stored by a cache.

/** An error whose message the client may read. */
class HttpError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function notFound(req, res, next) {
  next(new HttpError(404, `There is no ${req.method} ${req.path}.`));
}

// The errors of Express itself (malformed JSON, a body that is too large, a bad %-escape) carry a status as well.
function errorHandler(logger) {
  return (error, req, res, next) => {
    if (res.headersSent) return next(error);
    const isClientError = error.status >= 400 && error.status < 500;
    if (!isClientError) logger.error(`${req.method} ${req.originalUrl} failed:`, error);
    const status = isClientError ? error.status : 500;
    const message = isClientError ? error.message : 'The shop could not answer. Please try again.';
    res.status(status).set('Cache-Control', 'no-store').json({ error: { status, message } });
  };
}

module.exports = { HttpError, notFound, errorHandler };
