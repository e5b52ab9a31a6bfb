import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../options.ts';

/** Signed CDN URLs in CloudFront's manner. The query must come back byte for byte. */
export function createSigner(clock: Clock) {
  const secret = randomBytes(32);
  let serial = 0;
  const sign = (text: string) => createHmac('sha256', secret).update(text).digest('base64url');
  const keyPair = '&Key-Pair-Id=K2L8F4GPSG1IFC';
  return {
    signText: sign,
    /** path + query, fresh at every call */
    signPath(path: string, filename: string, ttlSeconds: number): string {
      const name = filename.slice(filename.lastIndexOf('/') + 1);
      const disposition = encodeURIComponent(toDisposition(name))
        .replaceAll('%20', '+')
        .replaceAll("'", '%27');
      const expires = Math.floor(clock.now() / 1000) + ttlSeconds;
      // milliseconds and a counter ride in the policy, so that a lifetime below a second works and no two URLs are equal
      const policy = Buffer.from(
        JSON.stringify({
          Statement: [
            {
              Resource: path,
              Condition: { DateLessThan: { 'AWS:EpochTimeMs': clock.now() + ttlSeconds * 1000 } },
              Id: serial++,
            },
          ],
        }),
      ).toString('base64url');
      const head = `${path}?X-Xet-Cas-Uid=public&response-content-disposition=${disposition}&Expires=${expires}&Policy=${policy}`;
      return `${head}&Signature=${sign(head)}${keyPair}`;
    },
    /** null when the URL is good, else what is wrong with it */
    check(pathAndQuery: string): 'altered' | 'expired' | null {
      const at = pathAndQuery.indexOf('&Signature=');
      const head = at < 0 ? pathAndQuery : pathAndQuery.slice(0, at);
      if (at < 0 || pathAndQuery.slice(at) !== `&Signature=${sign(head)}${keyPair}`) return 'altered';
      const policy = head.slice(head.indexOf('&Policy=') + '&Policy='.length);
      const statement = JSON.parse(Buffer.from(policy, 'base64url').toString()) as {
        Statement: [{ Condition: { DateLessThan: { 'AWS:EpochTimeMs': number } } }];
      };
      return clock.now() < statement.Statement[0].Condition.DateLessThan['AWS:EpochTimeMs']
        ? null
        : 'expired';
    },
  };
}

export type Signer = ReturnType<typeof createSigner>;

/** `inline; filename*=UTF-8''name; filename="name";` with what cannot stand in a header taken out. */
export function toDisposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\]/g, '_');
  return `inline; filename*=UTF-8''${encodeURIComponent(name)}; filename="${plain}";`;
}
