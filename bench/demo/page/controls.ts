/** The choices: policy, CPU threads, their priority. */
import type { DemoSetup, ToPage } from '../messages.ts';
import { byId, create } from './dom.ts';
import { formatPriority } from './format.ts';

const PRIORITIES = [-1, 0, 1] as const;

type Hello = Extract<ToPage, { type: 'hello' }>;

/**
 * Fills the form.
 *
 * @param onChoice is given what was chosen, each time something is
 */
export function fillControls({ policies, setup, maxSpinners }: Hello, onChoice: (setup: DemoSetup) => void): void {
  const priorities = byId('priorities', HTMLFieldSetElement);
  let chosen = setup;
  const choose = (change: Partial<DemoSetup>) => {
    chosen = { ...chosen, ...change };
    showPriorities();
    onChoice(chosen);
  };
  const showPriorities = () => {
    const knows = policies.some(({ label, hasPriorities }) => hasPriorities && label === chosen.policy);
    priorities.disabled = !knows;
    byId('priority-note', HTMLElement).textContent = knows ? 'the event loop has 0' : `${chosen.policy} knows none`;
  };

  byId('policies', HTMLFieldSetElement).append(
    ...policies.map(({ label, summary }) => {
      const option = radio('policy', label === setup.policy, () => choose({ policy: label }));
      option.append(create('b', label), ' ', create('span', summary));
      return option;
    }),
  );
  const spinners = Array.from({ length: maxSpinners + 1 }, (_, count) => {
    const option = radio('spinners', count === setup.spinners, () => choose({ spinners: count }));
    option.append(String(count));
    return option;
  });
  byId('spinners', HTMLFieldSetElement).append(row(spinners));
  const levels = PRIORITIES.map((priority) => {
    const option = radio('priority', priority === setup.priority, () => choose({ priority }));
    option.append(formatPriority(priority));
    return option;
  });
  priorities.append(row(levels));
  byId('again', HTMLButtonElement).addEventListener('click', () => onChoice(chosen));
  showPriorities();
}

/** A radio button in its label. */
function radio(name: string, checked: boolean, onChosen: () => void): HTMLLabelElement {
  const input = create('input');
  input.type = 'radio';
  input.name = name;
  input.checked = checked;
  // A reload must show what runs, not what was chosen before it.
  input.autocomplete = 'off';
  input.addEventListener('change', onChosen);
  const label = create('label');
  label.append(input);
  return label;
}

function row(options: readonly HTMLElement[]): HTMLElement {
  const made = create('div');
  made.className = 'row';
  made.append(...options);
  return made;
}
