# syntax=docker/dockerfile:1

FROM node:26-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY LICENSE ./
COPY config/fac-signatures.yaml config/fortinet-authorities.pem config/inspection-products.yaml ./config/
COPY deploy/bundle.ts deploy/third-party-notices.ts ./deploy/
COPY src ./src
RUN npm run build

FROM node:26-slim AS dependencies
WORKDIR /dependencies
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:26-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ftm-watch" \
      org.opencontainers.image.description="Tells which precondition of FortiToken Mobile activation is broken, why, and how to fix it" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# One heap of glibc for all threads instead of one each: 8 MB less when idle (docs/decisions).
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
# The program and its configuration belong to root; only this folder can be written.
RUN install -d -o 1000 -g 1000 -m 0750 /var/lib/ftm-watch
WORKDIR /opt/ftm-watch
COPY deploy/image/healthcheck.ts ./
COPY deploy/image/ftm-watch.yaml /etc/ftm-watch/ftm-watch.yaml
COPY --from=dependencies /dependencies/node_modules ./node_modules
COPY --from=build /build/dist ./dist
# As a number, so that Kubernetes can see that it is not root.
USER 1000:1000
VOLUME /var/lib/ftm-watch
EXPOSE 9843
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["node", "healthcheck.ts"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["run", "--config", "/etc/ftm-watch/ftm-watch.yaml"]
