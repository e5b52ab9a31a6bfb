import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HublineageError } from '../../types/errors.ts';

/** Longer than clients keep idle connections: closing one first would look like a fault nobody asked for. */
const KEEP_ALIVE_MS = 120_000;

export function listen(server: Server, port: number, host: string): Promise<void> {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new HublineageError('UsageInvalid', `cannot listen on ${host}:${port}: ${cause.message}`, {
          where: `${host}:${port}`,
          hint: 'choose another port, or 0 for any free one',
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

export function toOrigin(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
