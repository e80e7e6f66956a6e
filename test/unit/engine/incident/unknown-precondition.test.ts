import { describe, expect, it } from 'vitest';
import type { Cause, Finding, PreconditionState } from '../../../../src/engine/model.ts';
import { UNKNOWN_CAUSE } from '../../../../src/engine/words.ts';
import { CHECKS, type PreconditionId } from '../../../../src/checks/registry.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { finding } from '../../../support/checks/judged-round.ts';
import { timeline, type Timeline } from '../../../support/store/incident-timeline.ts';
import { HOUR, MINUTE, SECOND } from '../../../support/time/units.ts';

type States = Partial<Record<PreconditionId, PreconditionState>>;

/** Runs rounds with these states, one every 30 seconds. */
function last(line: Timeline, minutes: number, states: States, causes: readonly Cause[] = []): Timeline {
  for (let round = 0; round < minutes * 2; round += 1) line.round(causes, states).wait(30 * SECOND);
  return line;
}

const UNKNOWN: States = { 'tls-genuine': 'unknown' };
const BESIDE = { ...UNKNOWN, clock: 'unknown', 'license-server': 'unknown', 'firewall-policy': 'unknown' } as const;

/** Returns the subjects of the causes that are told because something is unknown. */
function unknownIn({ state }: Timeline): readonly string[] {
  return state.incidents.flatMap(({ cause }) => (cause.id === UNKNOWN_CAUSE ? [cause.subject] : []));
}

describe('a precondition that stays unknown', () => {
  it('is a warning of its own after 15 minutes, told once', () => {
    const line = last(timeline(), 15, UNKNOWN);
    expect(line.heard()).toEqual([]);
    expect(last(line, 60, UNKNOWN).heard()).toEqual(['firing precondition-unknown']);
    expect(line.told[0]).toMatchObject({
      incident: { cause: { severity: 'warning', subject: 'tls-genuine', precondition: 'tls-genuine' } },
    });
    expect(last(line, 12 * 60, UNKNOWN).heard()).toEqual([]);
    expect(last(line, 2, {}).heard()).toEqual(['resolved precondition-unknown']);
  });

  it('begins with the round in which it is unknown for 15 minutes, and tells for how long', () => {
    const line = timeline()
      .round([], UNKNOWN)
      .wait(15 * MINUTE - 1)
      .round([], UNKNOWN);
    expect(line.state.candidates).toEqual([]);
    expect(line.wait(1).round([], UNKNOWN).state.candidates).toMatchObject([
      { cause: { summary: expect.stringContaining(' 15 min: '), evidence: [], confidence: 'confirmed' } },
    ]);
    const [{ cause } = { cause: null }] = line.wait(59_999).round([], UNKNOWN).state.incidents;
    expect(cause?.summary).toContain(' 15 min: ');
  });

  it('takes over what was open there first, since nobody knows whether it lasts, and the others stay open', () => {
    const [intercepted, other] = [causeOf('tls-intercepted'), causeOf('tls-blocked', { subject: 'push.example:443' })];
    const line = last(timeline(), 2, {}, [intercepted, other]);
    expect(line.heard()).toEqual(['firing tls-intercepted', 'firing tls-blocked']);
    expect(last(line, 15, UNKNOWN).heard()).toEqual([]);
    expect(last(line, 60, UNKNOWN).heard()).toEqual(['changed precondition-unknown']);
    expect(line.state.incidents).toMatchObject([
      { cause: { id: 'precondition-unknown' }, formerCauses: [{ id: 'tls-intercepted' }] },
      { cause: { id: 'tls-blocked' }, presence: 'unjudged' },
    ]);
    expect(last(line, 2, {}).heard()).toEqual(['resolved tls-blocked', 'resolved precondition-unknown']);
  });

  it('goes on as what it was before when that is seen again', () => {
    const line = last(last(timeline(), 2, {}, [causeOf('tls-intercepted')]), 20, UNKNOWN);
    line.heard();
    expect(last(line, 2, {}, [causeOf('tls-intercepted')]).heard()).toEqual(['changed tls-intercepted']);
    expect(line.state.incidents).toMatchObject([{ status: 'open', cause: { id: 'tls-intercepted' } }]);
    expect(last(line, 20, UNKNOWN).heard()).toEqual(['changed precondition-unknown']);
  });

  it('says what could not be judged alone, and what would settle it', () => {
    const told = (...findings: readonly Finding[]): Cause | undefined => {
      const line = timeline();
      for (let round = 0; round < 40; round += 1) {
        const diagnosis = diagnosisOf(line.now, [], UNKNOWN);
        const preconditions = diagnosis.preconditions.map((status) =>
          status.id === 'tls-genuine' ? { ...status, findings } : status,
        );
        line.input({ kind: 'diagnosis', diagnosis: { ...diagnosis, preconditions }, fresh: null }).wait(30 * SECOND);
      }
      return line.state.incidents[0]?.cause;
    };
    const usual = CHECKS.find(({ id }) => id === 'tls-genuine')?.unknownRemedy;
    expect(told()?.remedy).toContain(usual);
    const open = finding(null, { level: 'unknown', subject: 'host:443', actual: 'CN=Contoso' });
    const advised = finding(null, { level: 'unknown', advice: { summary: '', remedy: ['Add the root of Contoso.'] } });
    const noted = finding(null, { level: 'note', advice: { summary: '', remedy: ['Never mind.'] } });
    const cause = told(open, advised, noted);
    expect(cause?.evidence).toEqual([expect.stringMatching(/^host:443: CN=Contoso\./u), expect.any(String)]);
    expect(cause?.remedy[0]).toBe('Add the root of Contoso.');
    expect(cause?.remedy).not.toContain(usual);
    expect(cause?.remedy).not.toContain('Never mind.');
  });

  it('is nothing when it is known in between', () => {
    const line = timeline();
    for (let index = 0; index < 10; index += 1) last(last(line, 14, UNKNOWN), 0.5, {});
    expect(line.heard()).toEqual([]);
  });

  it.each<[string, (line: Timeline) => Timeline, boolean]>([
    ['over less than an hour without a round', (line) => line.wait(HOUR - 30 * SECOND - 1), true],
    ['but not over an hour', (line) => line.wait(HOUR - 30 * SECOND), false],
    [
      'over a restart',
      (line) => Object.assign(line, { state: JSON.parse(JSON.stringify(line.state)) as unknown }),
      true,
    ],
    ['but not after a clock was set back', (line) => line.wait(-HOUR), false],
  ])('goes on %s', (_, meanwhile, goesOn) => {
    const line = last(meanwhile(last(timeline(), 10, UNKNOWN)), 7, UNKNOWN);
    expect(line.heard()).toEqual(goesOn ? ['firing precondition-unknown'] : []);
  });

  it.each<[string, PreconditionId, Cause, boolean]>([
    ['of its own', 'license-assignment', causeOf('license-on-peer', { subject: 'EFTM1' }), false],
    ['of the unit that it needs', 'license-assignment', causeOf('appliance-unreachable', { subject: 'fac-1' }), false],
    ['that it depends on', 'tls-genuine', causeOf('egress-blocked'), false],
    ['that is deeper still', 'license-server', causeOf('egress-blocked'), false],
    ['of the way out', 'clock', causeOf('internet-unreachable', { subject: 'internet' }), false],
    ['that may explain it', 'firewall-policy', causeOf('egress-blocked'), false],
    ['about something else', 'tls-genuine', causeOf('mail-unreachable', { severity: 'warning' }), true],
    ['that is a note', 'tls-genuine', causeOf('egress-blocked', { severity: 'info', consequences: [] }), true],
  ])('is told, or not, while an incident %s is open', (_, id, cause, isTold) => {
    const line = last(timeline(), 2, {}, [cause]);
    expect(unknownIn(last(line, 40, { [id]: 'unknown' }, [cause]))).toEqual(isTold ? [id] : []);
  });

  it('is told when the incident that explained it is over', () => {
    const line = last(timeline(), 2, {}, [causeOf('egress-blocked')]);
    expect(unknownIn(last(line, 40, UNKNOWN))).toEqual(['tls-genuine']);
  });

  it('waits for the third check beside an incident of its own', () => {
    const line = last(timeline(), 2, {}, [causeOf('tls-intercepted')]);
    line
      .round([], UNKNOWN)
      .wait(20 * MINUTE)
      .round([], UNKNOWN);
    expect(line.state.candidates).toEqual([]);
    const slow = { kind: 'diagnosis', diagnosis: diagnosisOf(line.now, [], UNKNOWN), fresh: ['mail'] } as const;
    expect(line.input(slow).state.candidates).toEqual([]);
    expect(line.round([], UNKNOWN).state.candidates).toMatchObject([{ cause: { id: UNKNOWN_CAUSE } }]);
  });

  it.each<[string, States, readonly string[]]>([
    ['the deepest alone', { ...UNKNOWN, reachability: 'unknown', 'license-server': 'unknown' }, ['reachability']],
    ['each that does not depend on another', BESIDE, ['clock', 'firewall-policy', 'tls-genuine']],
    ['nothing of polling, which waits for its first line', { polling: 'unknown' }, []],
  ])('is told of %s', (_, states, subjects) => {
    expect(unknownIn(last(timeline(), 17, states)).toSorted()).toEqual(subjects);
  });

  it('is not told while a deeper one is unknown for less long', () => {
    expect(unknownIn(last(last(timeline(), 10, UNKNOWN), 10, { ...UNKNOWN, reachability: 'unknown' }))).toEqual([]);
  });

  it('stays open, unsaid, while something deeper is broken', () => {
    const line = last(timeline(), 17, UNKNOWN);
    line.heard();
    const blocked = causeOf('egress-blocked');
    expect(last(line, 5, { 'tls-genuine': 'blocked' }, [blocked]).heard()).toEqual(['firing egress-blocked']);
    expect(last(line, 2, {}).heard()).toEqual(['resolved egress-blocked', 'resolved precondition-unknown']);
  });
});
