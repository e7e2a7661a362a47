/**
 * What the schemas of the Kubernetes API say of a manifest. The validators of kubernetes-models let unknown fields pass, as the API's
 * schemas do; but a validator reads every field that it knows, so what was never read is a typing error.
 */
import { Deployment } from 'kubernetes-models/apps/v1';
import { Job } from 'kubernetes-models/batch/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PersistentVolumeClaim, Pod, Service } from 'kubernetes-models/v1';
import { z } from 'zod';

const KINDS = [Deployment, Job, NetworkPolicy, PersistentVolumeClaim, Pod, Service];

const typeSchema = z.looseObject({ apiVersion: z.string(), kind: z.string() });

/**
 * @param manifest one document of a file
 * @returns what is wrong with it, one line each
 */
export function problemsOf(manifest: unknown): string[] {
  const { apiVersion, kind, ...fields } = typeSchema.parse(manifest);
  const Model = KINDS.find((each) => each.apiVersion === apiVersion && each.kind === kind);
  if (Model === undefined) return [`there is no schema here for ${kind} of ${apiVersion}`];
  const unread = new Set<string>();
  try {
    Model.prototype.validate.call(watch({ apiVersion, kind, ...fields }, '', unread));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  return [...unread].map((path) => `${path} is no field of ${kind}`);
}

/** The same value, which takes every property from `unread` that is read. */
function watch(value: object, path: string, unread: Set<string>): object {
  const children = new Map<string, object>();
  if (!Array.isArray(value)) for (const key of Object.keys(value)) unread.add(`${path}/${key}`);
  return new Proxy(value, {
    get(target, key) {
      const child: unknown = Reflect.get(target, key);
      if (typeof key !== 'string') return child;
      unread.delete(`${path}/${key}`);
      if (typeof child !== 'object' || child === null) return child;
      const watched = children.get(key) ?? watch(child, `${path}/${key}`, unread);
      children.set(key, watched);
      return watched;
    },
  });
}
