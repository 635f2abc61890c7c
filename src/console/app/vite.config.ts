import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

const COMPRESSED_FROM_BYTES = 512

/** Writes `.br` and `.gz` beside each file that gets smaller: the server sends them as they are. */
function precompress(folder: string): Plugin {
  const filesBelow = (path: string): string[] =>
    statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => filesBelow(join(path, name))) : [path]
  return {
    name: 'precompress',
    apply: 'build',
    closeBundle() {
      for (const file of filesBelow(folder)) {
        const bytes = readFileSync(file)
        if (bytes.length < COMPRESSED_FROM_BYTES) continue
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, quality))
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
      }
    },
  }
}

// The check that the built files are in step builds a second time, elsewhere.
const outDir = process.env.ONGGI_CONSOLE_OUT ?? join(import.meta.dirname, '../dist')

export default defineConfig({
  plugins: [svelte(), precompress(outDir)],
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2023',
    // The first that know `light-dark()`: rewritten for older ones, the switch of the theme would not reach it.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // Data URIs would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
