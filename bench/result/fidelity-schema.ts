/** What `convoy fidelity` finds, as it stands in a result file: a verdict for each pair, and the figures it is made of. */
import { z } from 'zod';

/** The verdict of a threshold, or of an allowed distance: inconclusive where the interval straddles it. */
const verdictSchema = z.enum(['pass', 'fail', 'inconclusive']);

const intervalSchema = z.strictObject({ low: z.number(), high: z.number() });

/** One figure of both. */
export const figureSchema = z.strictObject({
  name: z.string(),
  /** Milliseconds are how it is shown; times here are in nanoseconds. */
  unit: z.enum(['milliseconds', 'share']),
  emulated: z.number(),
  real: z.number(),
  /** Emulated ÷ real. */
  ratio: z.number(),
  /** 95 %, by drawing rounds again; null of fewer than two rounds. */
  interval: intervalSchema.nullable(),
  /** How far emulated may be from real, in the figure's own unit; null where no limit is set. */
  allowed: z.number().nullable(),
  verdict: verdictSchema.nullable(),
});
export type Figure = z.infer<typeof figureSchema>;

/** A policy and what it emulates, by their labels, and the server both were measured with. */
const pairSchema = z.strictObject({ policy: z.string(), reference: z.string(), server: z.string() });

/** A policy beside its original, on one server. */
export const comparisonSchema = z.discriminatedUnion('state', [
  pairSchema.extend({
    state: z.literal('compared'),
    rounds: z.number().int(),
    figures: z.array(figureSchema),
    /** Kolmogorov–Smirnov: the largest vertical distance of the two cumulative distributions, 0 to 1. */
    distance: z.strictObject({ unloaded: z.number(), loaded: z.number() }),
    /** Percentiles of both loaded distributions. */
    percentiles: z.array(z.strictObject({ percent: z.number(), emulatedNs: z.number(), realNs: z.number() })),
    verdict: verdictSchema,
  }),
  pairSchema.extend({ state: z.literal('missing'), why: z.string() }),
]);
export type Comparison = z.infer<typeof comparisonSchema>;
