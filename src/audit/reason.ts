import type { Edge, Relatedness, Relation } from '../types/lineage.ts';
import { isRead, type VerdictKind } from '../types/verdict.ts';
import type { Declared } from './declared.ts';
import { chanceText, joinNames, percent, signed } from './format.ts';
import type { Place } from './place.ts';
import { sayAgreeingHint, sayConflict } from './say-conflict.ts';
import type { AuditInput } from './types.ts';
import { WHY_UNREAD } from './why-unread.ts';

/** A verdict with what it rests on. */
export interface Ruling {
  verdict: VerdictKind;
  declared: Declared;
  places: readonly Place[];
  /** rank-1 edges */
  parents: readonly Edge[];
  relationInferred: Relation | null;
}

/** The verdict as a sentence or three for a person: neutral, about weights and never about motives, with the numbers it rests on. */
export function explainVerdict(ruling: Ruling, input: AuditInput): string {
  const { declared } = ruling;
  const sentences = [sayVerdict(ruling, input)];
  if (declared.unresolved.length > 0 && ruling.places.length > 0) {
    sentences.push(`${joinNames(declared.unresolved)} could not be matched to a repo.`);
  }
  if (declared.namesItself) sentences.push('It names itself as its base, which says nothing about a parent.');
  sentences.push(...sayConflict(declared, input));
  if (ruling.verdict !== 'confirmed') sentences.push(...sayAgreeingHint(declared, input));
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

function sayVerdict(ruling: Ruling, input: AuditInput): string {
  const { verdict, declared, parents } = ruling;
  const names = joinNames(declared.names.filter((name) => !declared.unresolved.includes(name)));
  switch (verdict) {
    case 'confirmed':
      return `Declares ${names}. ${sayConfirmed(ruling, input)}`;
    case 'relation_mismatch':
      return `Declares ${names} as ${declared.relation}. The parent agrees, the relation does not: ${sayRelation(parents[0], input)}.`;
    case 'consistent':
      return `Declares ${names}. ${sayConsistent(ruling, input)}`;
    case 'ancestor':
      return `Declares ${names}, an ancestor. The direct parent is ${sayParents(ruling, input)}.`;
    case 'relative':
      return `Declares ${names}. ${sayRelative(ruling, input)}`;
    case 'contradicted':
      return `Declares ${names}. ${ruling.places.map((place) => sayUnrelated(place, ruling, input)).join(' ')}`;
    case 'undeclared':
      return `Declares no base. ${sayFound(ruling, input)}`;
    case 'unresolved': {
      const found = parents.length > 0 ? ` ${sayFound(ruling, input)}` : '';
      return `Declares ${joinNames(declared.names)}, which names no repo in the index.${found}`;
    }
    case 'original':
      return 'Declares no base, and no parent was found among the models in the index.';
    case 'unknown':
      return sayUnknown(ruling, input);
  }
}

/** What was found where nothing usable is declared. Copies, casts and the like are said in words; a distance adds nothing to them. */
function sayFound(ruling: Ruling, input: AuditInput): string {
  const [edge] = ruling.parents;
  if (ruling.parents.every((parent) => parent.method === 'shape'))
    return `Its shapes fit ${sayParents(ruling, input)}.`;
  if (ruling.parents.length > 1) return `A merge of ${sayParents(ruling, input)} fits its weights.`;
  if (edge && IN_WORDS.has(edge.relation)) {
    const text = sayRelation(edge, input);
    return `${text.charAt(0).toUpperCase()}${text.slice(1)} (probability ${chanceText(edge.probability)}).`;
  }
  return `The weights point to ${sayParents(ruling, input)}.`;
}

const IN_WORDS = new Set<Relation>(['duplicate', 'cast', 'quantized', 'transformed']);

function sayConfirmed({ places, parents, relationInferred }: Ruling, input: AuditInput): string {
  const copies = places.flatMap((place) =>
    place.at === 'parent' && place.parent !== place.base
      ? [`${place.base} holds the same values as ${place.parent}`]
      : [],
  );
  const edge = parents[0];
  const agree =
    parents.length > 1 ? `A merge of these ${parents.length} fits the weights` : 'The weights agree';
  const relation = relationInferred === null || parents.length > 1 ? '' : `: ${sayRelation(edge, input)}`;
  const sure = edge
    ? ` (probability ${chanceText(Math.min(...parents.map((parent) => parent.probability)))})`
    : '';
  return `${agree}${relation}${sure}.${copies.length > 0 ? ` ${copies.join('; ')}.` : ''}`;
}

function sayConsistent(ruling: Ruling, input: AuditInput): string {
  const ties = ruling.places.filter((place) => place.at === 'tie');
  const covered = new Set(ruling.places.flatMap((place) => (place.at === 'parent' ? [place.parent] : [])));
  const tied = new Set(ties.map((place) => place.base));
  const missing = ruling.parents
    .filter((edge) => !covered.has(edge.parent) && !tied.has(edge.parent))
    .map((edge) => edge.parent);
  const sentences = ties.map((place) => `The evidence does not exclude ${place.base}: ${place.why}.`);
  if (covered.size > 0) sentences.push(`The weights agree with ${joinNames([...covered])}.`);
  if (covered.size > 0 && missing.length > 0) sentences.push(`They also point to ${joinNames(missing)}.`);
  if (covered.size === 0 && missing.length > 0)
    sentences.push(`The best match is ${sayParents(ruling, input)}.`);
  for (const place of ruling.places) {
    if (place.at === 'unknown') sentences.push(`${place.base} could not be checked: ${place.why}.`);
    if (place.at === 'relative')
      sentences.push(`${place.base} is of the same family and not among the parents found.`);
    if (place.at === 'unrelated')
      sentences.push(`${place.base} was not found in the weights${sayCosine(place.relatedness)}.`);
  }
  return sentences.join(' ');
}

function sayRelative(ruling: Ruling, input: AuditInput): string {
  const sentences = ruling.places.map((place) => {
    if (place.at === 'ancestor') return `${place.base} is an ancestor.`;
    if (place.at === 'unrelated')
      return `${place.base} was not found in the weights${sayCosine(place.relatedness)}.`;
    if (place.at !== 'relative')
      return place.at === 'unknown' ? `${place.base} could not be checked: ${place.why}.` : '';
    if (place.how === 'descendant') return `${place.base} appears to descend from this model instead.`;
    return `${place.base} is related${sayCosine(place.relatedness)}, in another place of the family.`;
  });
  const parent = ruling.parents.length > 0 ? `The closest match is ${sayParents(ruling, input)}.` : '';
  return [...sentences, parent].filter((sentence) => sentence !== '').join(' ');
}

function sayUnrelated(place: Place, ruling: Ruling, input: AuditInput): string {
  if (place.at !== 'unrelated') return '';
  const match = ruling.parents.length > 0 ? sayMatch(ruling, input) : '';
  if (place.by === 'adapter') return `Its factors have shapes that cannot fit ${place.base}${match}.`;
  if (place.by === 'shape') return `Its tensors have other widths than those of ${place.base}${match}.`;
  return `Its weights are not consistent with ${place.base}${sayCosine(place.relatedness)}${match}.`;
}

function sayMatch(ruling: Ruling, input: AuditInput): string {
  const onlyVirtual = ruling.parents.every((edge) => edge.parentKind === 'virtual');
  return onlyVirtual
    ? `; they hang together with ${sayParents(ruling, input)}`
    : `; they match ${sayParents(ruling, input)}`;
}

function sayUnknown(ruling: Ruling, input: AuditInput): string {
  const { declared, places, parents } = ruling;
  const names = joinNames(declared.names);
  if (declared.names.length === 0) return `Declares no base, and cannot be checked: ${whyUnread(input)}.`;
  if (!isRead(input.status) && parents.length === 0) {
    return `Declares ${names}; cannot be checked: ${whyUnread(input)}.`;
  }
  if (places.length === 0) return `Declares ${names}, a repo the Hub knows and the index does not hold.`;
  const [only] = places;
  const declares =
    declared.names.length === 1 && only?.at === 'unknown'
      ? `Declares ${names}, which could not be checked: ${only.why}.`
      : `Declares ${names}. ${places.map(sayUnchecked).join(' ')}`;
  const virtual = parents.find((edge) => edge.parentKind === 'virtual');
  const others = virtual ? (input.virtualParents.get(virtual.parent)?.children.length ?? 1) - 1 : 0;
  if (others > 0) {
    return `${declares} Its weights hang together with ${others} other${others > 1 ? 's' : ''} that seem to share an absent parent.`;
  }
  return parents.length > 0 ? `${declares} ${sayFound(ruling, input)}` : declares;
}

function sayUnchecked(place: Place): string {
  if (place.at === 'unknown') return `${place.base} could not be checked: ${place.why}.`;
  return place.at === 'unrelated'
    ? `${place.base} was not found in the weights${sayCosine(place.relatedness)}.`
    : '';
}

function whyUnread({ status, kind }: AuditInput): string {
  if (kind === 'adapter' || status === 'adapter') return 'an adapter alone does not tell its base';
  return WHY_UNREAD[status] ?? 'its weights were not read';
}

/** "X (relative distance 0.8 %, 412 tensors)" for each parent found. */
function sayParents({ parents }: Ruling, input: AuditInput): string {
  return joinNames(parents.map((edge) => `${sayName(edge, input)}${sayDistance(edge, input)}`));
}

function sayName(edge: Edge, input: AuditInput): string {
  if (edge.parentKind === 'repo') return edge.parent;
  const parent = input.virtualParents.get(edge.parent);
  const others = (parent?.children.length ?? 1) - 1;
  const label = parent?.declaredLabel ? ` that most of its children declare as ${parent.declaredLabel}` : '';
  return `a model absent from the index${label}, shared with ${others} other${others === 1 ? '' : 's'}`;
}

function sayDistance(edge: Edge, input: AuditInput): string {
  const relatedness = input.relatedness.get(edge.parent);
  const share = edge.weight === null ? '' : `share ${percent(edge.weight)}`;
  const parts = [share, edge.relation === 'finetune' || edge.relation === 'merge' ? '' : edge.relation];
  if (relatedness && relatedness.relativeDistance !== null) {
    parts.push(
      `relative distance ${percent(relatedness.relativeDistance)}`,
      `${relatedness.commonTensors} tensors`,
    );
  } else parts.push(`probability ${chanceText(edge.probability)}`);
  return ` (${parts.filter((part) => part !== '').join(', ')})`;
}

function sayRelation(edge: Edge | undefined, input: AuditInput): string {
  if (!edge) return 'no parent';
  const name = sayName(edge, input);
  switch (edge.relation) {
    case 'duplicate':
      return edge.method === 'hash'
        ? `its files are those of ${name}, byte for byte`
        : `every value read equals that of ${name}`;
    case 'cast':
      return `every value read is that of ${name} in another number format`;
    case 'quantized':
      return edge.method === 'requantise'
        ? `its values are those of ${name}, rounded to blocks`
        : `beside quantised files it holds one whose every value read is that of ${name}`;
    case 'transformed':
      return `order-free statistics match ${name} with its units reordered`;
    default:
      return `${edge.relation} of ${name}`;
  }
}

/** Cosine and the width of chance with the same number of digits, enough to see both. */
function sayCosine(relatedness: Relatedness | null): string {
  if (relatedness === null || relatedness.cosine === null || relatedness.nullSd === null) return '';
  const digits = relatedness.nullSd < 0.0095 ? 3 : 2;
  const chance = Math.max(relatedness.nullSd, 10 ** -digits).toFixed(digits);
  return ` (cosine ${signed(relatedness.cosine, digits)} where ${(0).toFixed(digits)} ± ${chance} is chance)`;
}
