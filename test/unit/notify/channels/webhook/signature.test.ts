import { expect, test } from 'vitest';
import { signatureHeaders } from '../../../../../src/notify/channels/webhook.ts';

/** The example that the Standard Webhooks libraries are tested with: https://github.com/standard-webhooks. */
test('signatureHeaders() gives the signature of the reference', () => {
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}', at: 1_614_265_330_999 };
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  };
  expect(signatureHeaders(message, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')).toEqual(headers);
  expect(signatureHeaders({ ...message, body: '{"test": 1}' }, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')).not.toEqual(
    headers,
  );
});
