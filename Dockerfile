FROM python:3.11-slim-trixie AS build
WORKDIR /src
COPY run-requirements.lock ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r run-requirements.lock
COPY pyproject.toml LICENSE README.md ./
COPY bot bot
COPY handlers handlers
COPY scheduler scheduler
COPY storage storage
COPY locales locales
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.11-slim-trixie
# pg_dump, for `kinroom backup`: it must not be older than the server in compose.yaml.
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-client-17 \
  && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 10001 kinroom && install --directory --owner kinroom /data/var
COPY --from=build /venv /venv
USER kinroom
WORKDIR /data
VOLUME /data/var
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 KINROOM_HTTP_HOST=0.0.0.0
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD \
  ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
ENTRYPOINT ["kinroom"]
CMD ["run"]
