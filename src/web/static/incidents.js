// Script of the incident pages. Their content is not replaced, so that it cannot change while somebody types.
import { addCopyButtons } from './copy-buttons.js';
import { updateDistances } from './distance.js';

/** The server's clock minus ours. */
const skew = Number(document.querySelector('main')?.dataset['now']) - Date.now();

addCopyButtons(document);
setInterval(() => {
  updateDistances(Date.now() + skew);
}, 1_000);
