import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Millis } from '../core/clock.ts';

/**
 * Requests that are not answered yet, and answers that their clients have not read: what strangers make the server
 * hold.
 */
export interface WaitingAnswers {
  /**
   * @returns false when the connection is closed, because it asks for too much at once: there is nothing to answer then
   */
  begin(request: IncomingMessage, response: ServerResponse): boolean;
  /**
   * The answer was given, or begun. Closes the connections that have waited longest when more than is allowed waits to
   * be read.
   */
  written(response: ServerResponse): void;
}

export interface WaitingLimits {
  /**
   * Unanswered requests of one connection. Node answers every request of a piece that it has read, thousands of them,
   * before it looks whether anybody reads the answers. No browser and no scraper sends a second one before it has the
   * answer to the first.
   */
  readonly requests: number;
  /** Of all answers together; a single one may be larger. */
  readonly unreadBytes: number;
  /** A client that takes nothing of a whole answer for so long is gone. */
  readonly unread: Millis;
}

/** Some 56 scrapes of 200 targets and 200 appliances, at 1.2 MB each. */
export const WAITING_LIMITS: WaitingLimits = { requests: 4, unreadBytes: 64 * 1024 * 1024, unread: 10_000 };

export function createWaitingAnswers({ requests, unreadBytes, unread }: WaitingLimits): WaitingAnswers {
  /** By connection: of pipelined answers all but the first have no socket yet. Who has waited longest stands first. */
  const waiting = new Map<Socket, Set<ServerResponse>>();

  function answersOf(socket: Socket): Set<ServerResponse> {
    const known = waiting.get(socket);
    if (known === undefined) {
      // Not the end of the answer: those behind another one are not told that the connection has ended.
      socket.once('close', () => waiting.delete(socket));
    }
    const answers = known ?? new Set();
    if (answers.size === 0) {
      waiting.delete(socket);
      waiting.set(socket, answers);
    }
    return answers;
  }

  function close(socket: Socket): void {
    waiting.delete(socket);
    socket.destroy();
  }

  function makeRoom(): void {
    let bytes = 0;
    for (const answers of waiting.values()) bytes += bytesOf(answers);
    for (const [socket, answers] of waiting) {
      const own = bytesOf(answers);
      if (bytes <= unreadBytes || bytes === own) return;
      if (own > 0) close(socket);
      bytes -= own;
    }
  }

  return {
    begin({ socket }, response) {
      // What a piece still holds behind the request that was too much.
      if (socket.destroyed) return false;
      const answers = answersOf(socket);
      if (answers.size >= requests) {
        close(socket);
        return false;
      }
      answers.add(response);
      response.once('close', () => answers.delete(response));
      return true;
    },
    written(response) {
      if (response.writableLength === 0) return;
      if (response.writableEnded) response.setTimeout(unread);
      makeRoom();
    },
  };
}

function bytesOf(answers: ReadonlySet<ServerResponse>): number {
  let bytes = 0;
  for (const { writableLength } of answers) bytes += writableLength;
  return bytes;
}
