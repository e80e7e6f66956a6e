import { messageOf } from '../../text/message-of.ts';
import type { DeliveryRequest, MessageChannel, RecipientOutcome } from './channel.ts';
import { type JsonPost, type PostDeps, type PostOutcome, postJson, prepareToPost } from './http-post.ts';

/** A service that takes a notification as one or more posts of JSON. */
export interface PostingService extends Pick<MessageChannel, 'id' | 'minSeverity'> {
  /** What the log and the page call it. */
  readonly recipient: string;
  /** In order; the service must bear to be sent all of them again when one is not taken. @throws {Error} */
  readonly posts: (request: DeliveryRequest) => Promise<readonly JsonPost[]>;
}

export function createPostingChannel(
  { id, minSeverity, recipient, posts }: PostingService,
  deps: PostDeps,
): MessageChannel {
  void prepareToPost();
  return {
    kind: 'messages',
    id,
    recipients: [recipient],
    minSeverity,
    async deliver(request, signal) {
      const outcome = await postAll(request, signal);
      return request.recipients.map((name): RecipientOutcome => ({ recipient: name, ...outcome }));
    },
  };

  async function postAll(request: DeliveryRequest, signal: AbortSignal): Promise<PostOutcome> {
    let outcome: PostOutcome = { kind: 'sent', detail: '' };
    try {
      for (const post of await posts(request)) {
        outcome = await postJson(post, deps, signal);
        if (outcome.kind !== 'sent') return outcome;
      }
      return outcome;
    } catch (error) {
      return { kind: 'deferred', detail: messageOf(error) };
    }
  }
}
