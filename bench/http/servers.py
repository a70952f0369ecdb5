"""The servers that http_bench compares: how each is started, and what it can be asked for.

All are told where to listen and what to serve. A command may name:

    {port}, {tls_port}     of the loopback interface
    {folder}               what /files/ serves, 1k.json for /json among it
    {certificate}, {key}   of TLS, in PEM
"""

import os
import shutil
import typing

import slices

# What a row asks for.
HELLO = "hello"  # GET / answers "Hello, World!" as text/plain, with Date and Server.
JSON = "json"  # GET /json answers the kilobyte of 1k.json, as application/json.
FILES = "files"  # GET /files/NAME answers a file of the folder.
ECHO = "echo"  # POST /echo answers the request's body.
TLS = "tls"  # As HELLO, on the other port.
KINDS = (HELLO, JSON, FILES, ECHO, TLS)

FLOOR = "floor"
CONTROL = "floor again"


class Entry(typing.NamedTuple):
    """A server. Two entries may have one name if they do not serve the same kind."""

    name: str
    kinds: typing.Collection[str]
    command: typing.Callable  # Of a row and a place, the strings to start it.


def told(*words):
    """The command of a server that is told all it has to know by its arguments."""
    return lambda row, place: [word.format(**place) for word in words]


def of_ours(name):
    """The command of a server that is built beside the bench, and told all by its arguments."""
    return told(
        slices.here(name),
        "--port={port}",
        "--tls-port={tls_port}",
        "--folder={folder}",
        "--certificate={certificate}",
        "--key={key}",
    )


def beside(name):
    """A source file beside this one: what is not built is not beside the programs."""
    return os.path.join(os.path.dirname(os.path.realpath(__file__)), name)


def floor(row, place):
    """The floor serves one thing, which each row says."""
    port = place["tls_port" if row.kind == TLS else "port"]
    words = [word.format(**place) for word in row.floor]
    return [slices.here("floor_http"), f"--port={port}"] + words


NGINX_CONFIGURATION = """\
daemon off;
{user}
worker_processes 1;
worker_rlimit_nofile 20000;
error_log stderr error;
pid {folder}/nginx.pid;
events {{
  worker_connections 19000;
}}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  types {{ text/plain txt; }}
  {file_cache}
  client_body_temp_path {folder}/nginx_body;
  proxy_temp_path {folder}/nginx_proxy;
  fastcgi_temp_path {folder}/nginx_fastcgi;
  uwsgi_temp_path {folder}/nginx_uwsgi;
  scgi_temp_path {folder}/nginx_scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    listen 127.0.0.1:{tls_port} ssl backlog=4096;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.3;
    location = / {{
      default_type text/plain;
      return 200 "Hello, World!";
    }}
    location = /json {{
      default_type application/json;
      return 200 '{json}';
    }}
    location /files/ {{
      alias {folder}/;
    }}
  }}
}}
"""


def nginx(file_cache=""):
    """The command of nginx, which is told by a file."""

    def command(_, place):
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if program is None:
            raise RuntimeError("there is no nginx; tools/setup installs it")
        with open(os.path.join(place["folder"], "1k.json"), encoding="ascii") as file:
            json = file.read()
        # As root it would serve as a user who cannot read the folder.
        user = "user root;" if os.geteuid() == 0 else ""
        configuration = os.path.join(place["folder"], "nginx.conf")
        with open(configuration, "w", encoding="ascii") as file:
            file.write(
                NGINX_CONFIGURATION.format(user=user, file_cache=file_cache, json=json, **place)
            )
        return [program, "-e", "stderr", "-p", place["folder"], "-c", configuration]

    return command


ENTRIES = [
    Entry(FLOOR, KINDS, floor),
    Entry(CONTROL, KINDS, floor),
    Entry(
        "strata",
        (HELLO, ECHO),
        told(slices.here("../../http/hello_server"), "--port={port}", "--threads=1"),
    ),
    Entry("strata", (JSON, FILES, TLS), of_ours("strata_server")),
    Entry("strata, body in pieces", (ECHO,), of_ours("strata_server")),
    Entry("nginx", (HELLO, JSON, FILES, TLS), nginx()),
    Entry("nginx with open_file_cache", (FILES,), nginx("open_file_cache max=1000;")),
    Entry("Boost.Beast", KINDS, of_ours("beast_server")),
    Entry(
        "node",
        KINDS,
        told(
            "node",
            beside("node_server.js"),
            "{port}",
            "{tls_port}",
            "{folder}",
            "{certificate}",
            "{key}",
        ),
    ),
]
