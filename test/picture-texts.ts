/** Texts of the lab on loopback and their equivalents at a real site: sources of regular expressions, in order. */
const FIELD: readonly (readonly [seen: string, shown: string])[] = [
  [String.raw`(?<=UDP )127\.0\.0\.1:\d+`, '10.0.0.9:514'],
  [String.raw`(?<=TCP )127\.0\.0\.1:\d+`, '10.0.0.9:601'],
  [String.raw`(?<=mail\.example\.org):\d{4,5}`, ':25'],
  [String.raw`(?<=\w):\d{4,5}\b`, ':443'],
  [String.raw`(?<=\bTCP )\d{4,5}\b`, '443'],
  [String.raw`(?<=\b(?:is|at) )127\.0\.0\.1`, '173.243.138.84'],
  [String.raw`127\.0\.0\.1`, '10.0.0.5'],
  [String.raw`/\S*/ftm-watch-lab-\w+/`, '/etc/ftm-watch/'],
];

/**
 * JavaScript for the page that replaces the lab's addresses and ports with those of a real site. Its value is a list
 * of the lab's texts that are left, which should be empty.
 */
export const SHOW_FIELD = `(() => {
  const rules = ${JSON.stringify(FIELD)}.map(([seen, shown]) => [new RegExp(seen, 'gu'), shown]);
  // A port stands in an element of its own: which one it is tells the host before it.
  for (const port of document.querySelectorAll('.port')) port.replaceWith(port.textContent);
  for (const place of document.querySelectorAll('wbr')) place.remove();
  document.body.normalize();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode())
    text.data = rules.reduce((before, [seen, shown]) => before.replace(seen, shown), text.data);
  return [...(document.body.textContent.match(/\\b127\\.\\d+\\.\\d+\\.\\d+|:[1-9]\\d{4}\\b|ftm-watch-lab-\\w+/gu) ?? [])];
})()`;
