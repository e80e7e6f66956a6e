import type { Plugin } from 'rolldown';

const SPECIFIER = 'node:http';
const ID = `\0${SPECIFIER}`;

/**
 * Imports only the used parts of `node:http`. An `import` evaluates every export of a Node module, and `WebSocket` of
 * this one loads all of Node's own undici: 7 MiB and 30 ms of CPU for every command. `process.getBuiltinModule()`
 * evaluates none (https://nodejs.org/api/process.html#processgetbuiltinmoduleid).
 */
export const nodeHttpInParts: Plugin = {
  name: 'node-http-in-parts',
  resolveId: (specifier, _, { kind }) => (specifier === SPECIFIER && kind === 'import-statement' ? ID : null),
  load: (id) => (id === ID ? PARTS : null),
};

const PARTS = [
  `const http = process.getBuiltinModule('${SPECIFIER}');`,
  'const part = (name) => http[name];',
  'export default http;',
  // Removed if unused.
  ...Object.keys(process.getBuiltinModule(SPECIFIER)).map(
    (name) => `export const ${name} = /* @__PURE__ */ part('${name}');`,
  ),
].join('\n');
