// A proxy that passes requests on and remembers them, as the server gets to see them; and a site of somebody else.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** @typedef {{ method: string, path: string, headers: import('node:http').IncomingHttpHeaders, status: number }} Seen */

/**
 * @param {number} target the port that requests are passed on to
 * @param {{ key: string, cert: string } | null} [tls]
 */
export async function startProxy(target, tls = null) {
  /** @type {Seen[]} */
  const seen = [];
  const note = (request) => {
    const entry = { method: request.method, path: request.url, headers: request.headers, status: 0 };
    seen.push(entry);
    return entry;
  };
  const server = tls ? https.createServer(tls) : http.createServer();
  server.on('request', (request, response) => {
    const entry = note(request);
    const { method, url: path, headers } = request;
    const onward = http.request({ host: '127.0.0.1', port: target, method, path, headers }, (answer) => {
      entry.status = answer.statusCode ?? 0;
      response.writeHead(entry.status, answer.rawHeaders);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('upgrade', (request, socket, head) => {
    const entry = note(request);
    const onward = connect(target, '127.0.0.1', () => {
      const lines = [`${request.method} ${request.url} HTTP/1.1`];
      for (let at = 0; at < request.rawHeaders.length; at += 2) {
        lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
      }
      onward.write(`${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.once('data', (data) => {
        entry.status = Number(/^HTTP\/1\.1 (\d+)/.exec(data.toString('latin1'))?.[1] ?? 0);
      });
      onward.pipe(socket);
      socket.pipe(onward);
    });
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ]) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  return { seen, ...(await listen(server)) };
}

/** A site that shows an empty page at every address. */
export async function startSite() {
  const server = http.createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end('<!doctype html><title>another site</title><body></body>');
  });
  return listen(server);
}

async function listen(server) {
  const open = new Set();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: server.address().port,
    stop: () => {
      for (const socket of open) socket.destroy();
      return new Promise((done) => server.close(done));
    },
  };
}

/** A certificate that nobody has signed but itself. */
export async function certificate(name) {
  const directory = await mkdtemp(join(tmpdir(), 'chatd-tls-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', key, '-out', cert],
  ]);
  const made = { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
  await rm(directory, { recursive: true });
  return made;
}
