import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HublineageError } from '../types/errors.ts';
import type { ExplorerOptions } from './contract.ts';
import { createExplorer } from './create-explorer.ts';

export interface StartOptions extends ExplorerOptions {
  /** 127.0.0.1 when absent */
  host?: string;
  /** any free one when 0 or absent */
  port?: number;
}

export interface RunningExplorer {
  url: string;
  close(): Promise<void>;
}

const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 256;

/** True for addresses only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Serves the explorer over HTTP. Throws UsageInvalid when the address cannot be had. */
export async function startExplorer(options: StartOptions): Promise<RunningExplorer> {
  const explorer = createExplorer(options);
  const host = options.host ?? '127.0.0.1';
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: 15_000,
      headersTimeout: 10_000,
      keepAliveTimeout: 5_000,
    },
    (request, response) => void respond(request, response),
  );
  server.maxConnections = MAX_CONNECTIONS;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // bodies are of no use here
    request.resume();
    const { status, headers, body } = await explorer.handle({
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers: request.headers,
    });
    response.writeHead(status, headers);
    response.end(body);
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new HublineageError('UsageInvalid', `The explorer cannot listen: ${error.message}`, {
          where: `${host}:${options.port ?? 0}`,
          hint:
            error.code === 'EADDRINUSE' ? 'Choose another --port, or 0 for any free one.' : 'Check --host.',
          cause: error,
        }),
      ),
    );
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
