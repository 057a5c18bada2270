// For ES modules. What it exports is what require() gives: one adapter, however it is loaded.
export { createKeyv, KeyvTiercel } from './index.js';
