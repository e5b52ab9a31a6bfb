export { readTerminalEnvironment, type TerminalEnvironment } from './environment.ts';
export { DEFAULT_CONFIG_FILE, type LoadedConfig, loadConfig } from './load.ts';
export { configJsonSchema, DEFAULT_FILTERS, DEFAULT_MIN_PROBABILITY } from './schema.ts';
