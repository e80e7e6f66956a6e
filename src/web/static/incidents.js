// The script for the incident pages. Their content is not updated, so that it does not change while somebody types.
import { addCopyButtons } from './copy-buttons.js';
import { updateDistances } from './distance.js';

/** The difference between the server's clock and the browser's clock. */
const skew = Number(document.querySelector('main')?.dataset['now']) - Date.now();

addCopyButtons(document);
setInterval(() => {
  updateDistances(Date.now() + skew);
}, 1_000);
