import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_CALIBRATION } from './calibration.ts';

describe('DEFAULT_CALIBRATION', () => {
  it('is what the calibration program wrote', () => {
    const file = new URL('../../data/calibration/hublineage.json', import.meta.url);
    const { calibration, test } = JSON.parse(readFileSync(file, 'utf8'));
    expect(DEFAULT_CALIBRATION).toEqual(calibration);
    expect(test.all.edges).toBeGreaterThan(1000);
    expect(test.all.calibrationError).toBeLessThan(0.03);
    expect(test.all.wrongThoughSure).toBeLessThan(0.03);
  });
});
