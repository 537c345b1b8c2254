export type { FunctionCallFigures, ProfiledFunction } from './call-window.js'
export {
  type FunctionProfile,
  type FunctionProfileRequest,
  FunctionProfiler,
  type FunctionProfilerOptions,
  type ProcessRecording,
  type SandboxActivity,
} from './function-profiler.js'
export { type SandboxKnob, type SandboxKnobParts, sandboxKnobs } from './sandbox-knobs.js'
export { type SandboxSources, sandboxSources } from './sandbox-sources.js'
