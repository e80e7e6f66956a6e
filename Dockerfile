# Debian with glibc and Node 26. A release names its digest: --build-arg BASE=node:26-slim@sha256:… (CONTRIBUTING.md).
ARG BASE=node:26-slim

# What is built is the same on each architecture. Without a network, a folder takes the place of this stage:
# npm run build:image -- FOLDER/build/dist && docker build --build-context build=FOLDER .
FROM --platform=$BUILDPLATFORM ${BASE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Both are optional: a registry of your own, and the authorities of its certificate (cafile=/run/secrets/ca).
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca \
    npm ci --ignore-scripts --no-audit --no-fund
COPY LICENSE ./
COPY config/fac-signatures.yaml config/firmware-facts.yaml config/fortinet-authorities.pem \
    config/inspection-products.yaml ./config/
COPY tools/bundle ./tools/bundle
COPY deploy/image/healthcheck.ts ./deploy/image/
COPY src ./src
RUN node tools/bundle/image.ts

FROM ${BASE}
ARG BASE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ftm-watch" \
      org.opencontainers.image.description="Reports which precondition of FortiToken Mobile activation is broken, why, and how to fix it" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}"
# One heap of glibc for all threads instead of one each: 2.5 MB less when idle (docs/decisions).
# The signal SIGUSR1 does not open Node's debugger.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1 NODE_OPTIONS=--disable-sigusr1
# The program and its configuration belong to root; only this folder can be written.
RUN install -d -o 1000 -g 1000 -m 0750 /var/lib/ftm-watch && ln -s /opt/ftm-watch/main.js /usr/local/bin/ftm-watch
COPY deploy/image/ftm-watch.yaml /etc/ftm-watch/ftm-watch.yaml
COPY --from=build /build/dist /opt/ftm-watch
WORKDIR /opt/ftm-watch
# As a number, so that Kubernetes can see that it is not root.
USER 1000:1000
VOLUME /var/lib/ftm-watch
EXPOSE 9843
STOPSIGNAL SIGTERM
# A minute is often enough for a daemon that restarts itself; where an orchestrator asks over HTTP, this is not used.
HEALTHCHECK --interval=1m --timeout=5s --start-period=20s --start-interval=2s \
    CMD ["node", "/opt/ftm-watch/healthcheck.cjs"]
ENTRYPOINT ["ftm-watch"]
CMD ["run"]
