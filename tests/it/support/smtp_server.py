"""A mail server for the tests, on Debian's python3-aiosmtpd: keeps what it takes, and answers as it is told.

It keeps each mail as DIR/mail-N.json, and each command that matters as a line of DIR/said. DIR/answers, if it is there,
says at which command it answers something else: a line `COMMAND ANSWER` for MAIL, RCPT or DATA; the answer `hang` never
comes.
"""

import argparse
import asyncio
import email
import email.policy
import json
import pathlib
import ssl

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self, directory):
        self.directory = directory
        self.taken = 0

    def say(self, line):
        with open(self.directory / "said", "a", encoding="utf-8") as said:
            said.write(line + "\n")

    async def otherwise(self, command):
        try:
            lines = (self.directory / "answers").read_text().splitlines()
        except FileNotFoundError:
            return None
        for line in lines:
            name, _, answer = line.partition(" ")
            if name == command and answer == "hang":
                await asyncio.sleep(3600)
            if name == command:
                return answer
        return None

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.say(f"MAIL {address}")
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self.otherwise("MAIL") or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.say(f"RCPT {address}")
        answer = await self.otherwise("RCPT")
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.say(f"DATA {envelope.rcpt_tos[0]}")
        answer = await self.otherwise("DATA")
        if answer is not None:
            return answer
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda kind: message.get_body((kind,)).get_content().replace("\r\n", "\n")
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "hello": session.host_name,
            "encrypted": server.transport.get_extra_info("sslcontext") is not None,
            "signed_in": bool(session.authenticated),
            "headers": {name: str(value) for name, value in message.items()},
            "defects": [str(defect) for defect in message.defects],
            "text": part("plain"),
            "html": part("html"),
        }
        whole = self.directory / f"mail-{self.taken}.part"
        whole.write_text(json.dumps(mail))
        whole.rename(whole.with_suffix(".json"))
        self.taken += 1
        return f"250 OK: number {self.taken}"


class Injecting(SMTP):
    """As if somebody between had put an answer of their own behind the last one that is not encrypted."""

    async def push(self, status):
        await super().push(status + "\r\n250 AUTH PLAIN" if "start TLS" in status else status)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--dir", type=pathlib.Path, required=True)
    args.add_argument("--port", type=int, default=0)
    args.add_argument("--tls", choices=["none", "starttls", "wrapped"], default="none")
    args.add_argument("--certificate")
    args.add_argument("--key")
    args.add_argument("--sign-in", help="USER:PASSWORD, without which no mail is taken")
    args.add_argument("--utf8", action="store_true")
    args.add_argument("--inject", action="store_true")
    args = args.parse_args()
    handler = Handler(args.dir)
    context = None
    if args.tls != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(args.certificate, args.key)

    def authenticate(server, session, envelope, mechanism, data):
        handler.say(f"AUTH {mechanism}")
        right = f"{data.login.decode()}:{data.password.decode()}" == args.sign_in
        return AuthResult(success=right, handled=False, auth_data=data.login)

    async def serve():
        loop = asyncio.get_running_loop()

        def connection():
            return (Injecting if args.inject else SMTP)(
                handler,
                hostname="mail.test",
                enable_SMTPUTF8=args.utf8,
                tls_context=context if args.tls == "starttls" else None,
                authenticator=authenticate if args.sign_in else None,
                auth_required=bool(args.sign_in),
                auth_require_tls=args.tls == "starttls" or not args.sign_in,
                loop=loop,
            )

        wrapped = context if args.tls == "wrapped" else None
        server = await loop.create_server(connection, "127.0.0.1", args.port, ssl=wrapped)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(serve())


main()
