// The pages of incidents: nothing is replaced while somebody types.
import { addCopyButtons } from './copy-buttons.js';
import { updateDistances } from './distance.js';

/** The server's clock minus ours. */
const skew = Number(document.querySelector('main')?.dataset['now']) - Date.now();

addCopyButtons(document);
setInterval(() => {
  updateDistances(Date.now() + skew);
}, 1_000);
