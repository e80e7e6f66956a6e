import type { ErrorCode } from 'yaml';

/**
 * What is wrong with the syntax, in words. The library's own messages repeat pieces of the file, and a piece may be a
 * secret in the wrong place.
 */
export function yamlErrorText(code: ErrorCode): string {
  return `not valid YAML: ${TEXTS[code]}`;
}

const TEXTS: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias (*) takes no anchor and no tag',
  BAD_ALIAS: 'an anchor or alias (& or *) needs a name',
  BAD_COLLECTION_TYPE: 'the tag (!) does not fit the value',
  BAD_DIRECTIVE: 'a line that begins with % is no directive that YAML knows',
  BAD_DQ_ESCAPE: 'unknown escape after \\ in double quotes: use single quotes, or write \\\\',
  BAD_INDENT: 'wrong indentation, or a bracket or brace that is not closed',
  BAD_PROP_ORDER: 'anchors and tags (& and !) stand right before their value',
  BAD_SCALAR_START: 'a text that begins with a special character needs quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'two keys on one line, or a line that is indented too far: a text with ": " in it needs quotes',
  BLOCK_IN_FLOW: 'a list or section by indentation cannot stand inside brackets or braces',
  DUPLICATE_KEY: 'a key stands in this section twice',
  IMPOSSIBLE: 'this cannot be read',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters',
  MISSING_CHAR:
    'something is missing here: a closing quote, bracket or brace, a comma, a colon, or the space after one',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line: is a colon missing after it?',
  MULTIPLE_ANCHORS: 'a value takes one anchor (&)',
  MULTIPLE_DOCS: 'expected one document: remove the lines "---" after the first',
  MULTIPLE_TAGS: 'a value takes one tag (!)',
  NON_STRING_KEY: 'expected a text as key',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'indentation with a tab: use spaces',
  TAG_RESOLVE_FAILED: 'a tag (!) that YAML does not know: remove it, or put the text in quotes',
  UNEXPECTED_TOKEN: 'unexpected character: a text with special characters needs quotes',
};
