import { describe, expect, it } from 'vitest';
import { describeOldNode } from './node-version.ts';

describe('describeOldNode', () => {
  it('lets a Node pass that is new enough', () => {
    for (const version of ['22.20.0', '22.23.3', '23.0.0', '24.1.0', '26.0.0-nightly20260101'])
      expect(describeOldNode(version)).toBeNull();
  });

  it('tells an older one in one line which version it takes', () => {
    for (const version of ['22.19.9', '20.20.2', '18.0.0', '0.12.1', 'nonsense']) {
      const text = describeOldNode(version);
      expect(text).toContain('22.20');
      expect(text).toContain(version);
      expect(text?.trim().split('\n')).toHaveLength(1);
    }
  });
});
