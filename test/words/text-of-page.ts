const BLOCK_END =
  /<\/(?:button|dd|div|dt|figcaption|h\d|label|li|option|p|pre|section|style|summary|td|th|title|tr)>/gu;

/** Returns the text of an HTML page, with a line for each block. */
export function textOfPage(page: string): string {
  return page
    .replaceAll(/<style>.*?<\/style>/gsu, '')
    .replaceAll('<wbr>', '')
    .replaceAll(BLOCK_END, '\n')
    .replaceAll(/<[^>]*>/gu, ' ')
    .replaceAll(/&#(\d+);/gu, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .split('\n')
    .map((line) => line.replaceAll(/\s+/gu, ' ').trim())
    .filter((line) => line !== '')
    .join('\n');
}
