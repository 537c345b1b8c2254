#!/usr/bin/env node
// CommonJS on purpose: one bundled file of it starts milliseconds sooner than an ES module graph.
require('../dist/nexus.cjs')
