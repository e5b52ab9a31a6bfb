import type { PageHandler } from './contract.ts';
import { aboutPage } from './pages/about.ts';
import { childrenPage } from './pages/children.ts';
import { edgePage } from './pages/edge.ts';
import { failuresPage } from './pages/failures.ts';
import { familiesPage } from './pages/families.ts';
import { familyPage } from './pages/family.ts';
import { flaggedPage } from './pages/flagged.ts';
import { homePage } from './pages/home.ts';
import { mapPage } from './pages/map.ts';
import { modelPage } from './pages/model.ts';
import { runPage } from './pages/run.ts';
import { runsPage } from './pages/runs.ts';
import { searchPage } from './pages/search.ts';
import { sqlPage } from './pages/sql.ts';

export interface Route {
  /** for metrics and measurements */
  kind: string;
  /** whole path, or with a final `/` a prefix before a subject */
  path: string;
  /** parameters understood; `name.` is a prefix */
  params: readonly string[];
  handler: PageHandler;
}

export const ROUTES: readonly Route[] = [
  { kind: 'home', path: '/', params: [], handler: homePage },
  { kind: 'search', path: '/search', params: ['q', 'limit'], handler: searchPage },
  { kind: 'model', path: '/models/', params: [], handler: modelPage },
  { kind: 'children', path: '/children/', params: ['relation', 'after'], handler: childrenPage },
  { kind: 'edge', path: '/edges/', params: [], handler: edgePage },
  { kind: 'families', path: '/families', params: ['family', 'page'], handler: familiesPage },
  { kind: 'family', path: '/families/', params: ['after'], handler: familyPage },
  { kind: 'map', path: '/maps/', params: [], handler: mapPage },
  {
    kind: 'flagged',
    path: '/flagged',
    params: ['verdict', 'family', 'owner', 'relation', 'minDownloads', 'sort', 'after'],
    handler: flaggedPage,
  },
  { kind: 'runs', path: '/runs', params: [], handler: runsPage },
  { kind: 'run', path: '/runs/', params: [], handler: runPage },
  { kind: 'failures', path: '/failures', params: ['stage', 'code', 'page'], handler: failuresPage },
  { kind: 'sql', path: '/sql', params: ['sql', 'saved', 'p.'], handler: sqlPage },
  { kind: 'about', path: '/about', params: [], handler: aboutPage },
];

export interface Match {
  route: Route;
  subject: string;
  asJson: boolean;
}

/** Readings of a path, most literal first: `/models/a/b.json` may be a repo called `b.json`, or the JSON of `b`. */
export function matchRoutes(path: string): Match[] {
  const candidates: [string, boolean][] = [[path, false]];
  if (path === '/index.json') candidates.push(['/', true]);
  else if (path.endsWith('.json')) candidates.push([path.slice(0, -'.json'.length), true]);
  return candidates.flatMap(([at, asJson]) => {
    const route = ROUTES.find((candidate) =>
      candidate.path.length > 1 && candidate.path.endsWith('/')
        ? at.startsWith(candidate.path) && at.length > candidate.path.length
        : at === candidate.path,
    );
    if (route === undefined) return [];
    const subject = route.path === at ? '' : at.slice(route.path.length);
    return [{ route, subject, asJson }];
  });
}
