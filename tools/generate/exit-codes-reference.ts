import { EXIT_CODES } from '../../src/cli/exit-codes.ts';

const INTRODUCTION = `# All exit codes

Made from the commands by \`npm run generate\`. Whatever the command, 3 also says that what was typed or the
configuration is not valid, with the reason on standard error (of \`check --nagios\` in its line).

| command | code | what it says |
|---|---|---|
`;

const OTHERS = `
A second SIGINT or SIGTERM ends any command at once with 130, and a reader that went away (\`check | head\`) with 141. A
daemon whose event loop is blocked for good is ended by SIGKILL (137 in a shell), for its supervisor to start it again.
\`check\` has the exit codes of a plugin of [Nagios and Icinga](nagios.md).
`;

/** The page of all exit codes. */
export function renderExitCodesReference(): string {
  const rows = [...EXIT_CODES].flatMap(([command, codes]) =>
    Object.entries(codes).map(
      ([code, meaning], index) => `| ${index === 0 ? `\`${command}\`` : ''} | ${code} | ${meaning} |\n`,
    ),
  );
  return `${INTRODUCTION}${rows.join('')}${OTHERS}`;
}
