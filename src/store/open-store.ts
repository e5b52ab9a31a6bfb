import type { OpenOptions, Store } from './contract.ts';
export declare function openStoreTyped(path: string, options?: OpenOptions): Promise<Store>;
export async function openStore(_path: string, _options: OpenOptions = {}): Promise<Store> {
  throw new Error('being built');
}
