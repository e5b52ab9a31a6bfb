# docker build -t hublineage . && docker run --rm -v hublineage:/data -e HF_TOKEN hublineage refresh --db /data/index.sqlite
FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run --silent build && npm prune --omit=dev --no-audit --no-fund

FROM node:22-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json crawler.config.json crawler.config.schema.json LICENSE README.md ./
COPY migrations ./migrations
COPY data ./data
RUN mkdir /data && chown node:node /data
USER node
WORKDIR /data
VOLUME /data
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["refresh"]
