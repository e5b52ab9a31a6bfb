/**
 * The page's whole style sheet; its hash stands in the page's CSP. Light and dark by the reader's setting, plain on paper.
 * Contrast of every text colour on its ground is at least 4.5:1 in both.
 */
export const STYLE = `
:root{color-scheme:light dark;--bg:#fbfaf8;--card:#fff;--ink:#1d2129;--soft:#5c6370;--line:#e3e1dc;--accent:#2f5bd0;
--good:#1c7048;--good-bg:#e5f4ec;--note:#2557a7;--note-bg:#e7effb;--warn:#8a5300;--warn-bg:#fdf1da;--bad:#b3261e;--bad-bg:#fce9e7;
--plain:#5c6370;--plain-bg:#eeedea;--code:#f4f2ee;--focus:#fff5d6;--rail:#b9bcc2;--shadow:0 1px 2px rgba(30,25,15,.05),0 4px 16px rgba(30,25,15,.04)}
@media (prefers-color-scheme:dark){:root{--bg:#14161b;--card:#1c1f26;--ink:#e8e6e1;--soft:#a1a7b3;--line:#2f343e;--accent:#8fb0ff;
--good:#6fd3a0;--good-bg:#17322a;--note:#93b8f5;--note-bg:#1b2a44;--warn:#f0bd69;--warn-bg:#3a2c14;--bad:#ff9b92;--bad-bg:#43211f;
--plain:#a1a7b3;--plain-bg:#272b34;--code:#15181e;--focus:#3a3420;--rail:#5b616d;--shadow:none}}
*{box-sizing:border-box}
html{scroll-behavior:smooth}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:1120px;margin:0 auto;padding:32px 24px 80px}
h1{font-size:28px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:20px;margin:48px 0 14px;letter-spacing:-.005em}
h3{font-size:16px;margin:0;font-weight:600;overflow-wrap:anywhere}
p{margin:0 0 10px;max-width:76ch}
a{color:var(--accent);text-decoration:none}
a:hover{text-decoration:underline}
a:focus-visible,button:focus-visible,summary:focus-visible,input:focus-visible,select:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
.soft,.meta{color:var(--soft)}
.meta{font-size:13px}
.lead{font-size:17px;margin:14px 0 0;max-width:70ch}
.below{margin-top:12px}
ul,ol{margin:4px 0 8px;padding-left:22px}
p{text-wrap:pretty}
.card>p{max-width:none}
.owner{color:var(--soft);font-weight:400}
.repo{overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:6px 18px;margin:18px 0 0;font-size:14px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:24px 0 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:14px 16px;box-shadow:var(--shadow)}
.tile b{display:block;font-size:24px;line-height:1.2;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:13px}
.bar{display:block;width:100%;height:14px;border-radius:7px;margin:26px 0 12px;overflow:hidden}
.bar .good{fill:var(--good)}.bar .note{fill:var(--note)}.bar .warn{fill:var(--warn)}.bar .bad{fill:var(--bad)}.bar .plain{fill:var(--plain)}
.bar rect{stroke:var(--bg);stroke-width:.25}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:8px 14px;padding:0;margin:0}
.legend li{display:flex;align-items:center;gap:6px;font-variant-numeric:tabular-nums}
.badge{display:inline-flex;align-items:center;gap:5px;border-radius:999px;padding:1px 10px;font-size:13px;font-weight:600;white-space:nowrap;line-height:1.6}
.badge.good{color:var(--good);background:var(--good-bg)}.badge.note{color:var(--note);background:var(--note-bg)}
.badge.warn{color:var(--warn);background:var(--warn-bg)}.badge.bad{color:var(--bad);background:var(--bad-bg)}.badge.plain{color:var(--plain);background:var(--plain-bg)}
.chip{display:inline-block;border:1px solid var(--line);border-radius:6px;padding:0 6px;font-size:12px;color:var(--soft);white-space:nowrap}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:18px 20px;margin:0 0 14px;box-shadow:var(--shadow)}
.card.bad{border-left:4px solid var(--bad)}.card.warn{border-left:4px solid var(--warn)}.card.note{border-left:4px solid var(--note)}.card.good{border-left:4px solid var(--good)}
details.fold{padding:0;margin:0 0 8px}
details.fold>summary{padding:9px 16px;margin:0;width:auto;color:inherit;font-size:15px}
details.fold[open]>summary{margin-bottom:4px}
details.fold[open]{padding:0 20px 16px}
details.fold[open]>summary{margin:0 -20px}
details.family>summary{font-size:15px;padding:6px 0}
details.family{margin:0 0 8px}
.head{display:flex;flex-wrap:wrap;align-items:center;gap:6px 12px;margin:0 0 8px}
.head .meta{margin-left:auto}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,1fr));gap:12px;margin:12px 0 4px}
.side{background:var(--code);border-radius:10px;padding:10px 14px;min-width:0}
.side h4{margin:0 0 4px;font-size:12px;font-weight:600;color:var(--soft);text-transform:uppercase;letter-spacing:.05em}
.side ul{list-style:none;margin:0;padding:0}
.side li{overflow-wrap:anywhere;padding:2px 0}
details{margin:10px 0 0}
summary{cursor:pointer;color:var(--soft);font-size:14px;width:max-content;max-width:100%}
summary:hover{color:var(--ink)}
.notice{border-radius:10px;padding:8px 14px;background:var(--note-bg);color:var(--note);margin:10px 0;font-size:14px;overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:10px 0 0;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:7px 12px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}
td{overflow-wrap:break-word;min-width:8em}
th{color:var(--soft);font-weight:600;font-size:13px;white-space:nowrap;border-bottom-color:var(--soft)}
td.num,th.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;min-width:0}
td.keep{white-space:nowrap;min-width:0}
td.wide{min-width:22em}
td.supports{color:var(--good)}td.contradicts{color:var(--bad)}
th button{all:unset;cursor:pointer;font:inherit}
th button::after{content:" ↕";opacity:.45}
th[aria-sort=ascending] button::after{content:" ↑";opacity:1}
th[aria-sort=descending] button::after{content:" ↓";opacity:1}
.filters{display:none;flex-wrap:wrap;gap:10px;align-items:center;margin:0 0 10px;font-size:14px}
.js .filters{display:flex}
.filters input,.filters select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:6px 10px}
.filters input{min-width:min(320px,100%)}
pre{background:var(--code);border-radius:10px;padding:12px 14px;overflow-x:auto;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;margin:8px 0 0}
pre .add{color:var(--good)}pre .del{color:var(--bad)}pre .hunk{color:var(--soft)}
code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;background:var(--code);border-radius:4px;padding:1px 4px;overflow-wrap:anywhere}
.treebox{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:14px;padding:10px 12px;margin:10px 0 0;box-shadow:var(--shadow)}
.card .treebox{box-shadow:none}
svg.tree{display:block;font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
.tree text{fill:var(--ink)}
.tree .owner{fill:var(--soft)}
.tree .name{font-weight:600}
.tree .note{fill:var(--soft);font-size:12px}
.tree .verdict{font-size:12px;font-weight:600}
.tree .verdict.good{fill:var(--good)}.tree .verdict.note{fill:var(--note)}.tree .verdict.warn{fill:var(--warn)}.tree .verdict.bad{fill:var(--bad)}.tree .verdict.plain{fill:var(--plain)}
.tree .link{fill:none;stroke:var(--rail);stroke-width:1.4}
.tree .link.rel-quantized,.tree .link.rel-cast,.tree .link.rel-duplicate{stroke-dasharray:2 3}
.tree .link.rel-adapter{stroke-dasharray:6 3}
.tree .link.rel-merge{stroke-width:2.2}
.tree .dot{stroke:var(--card);stroke-width:2}
.tree .dot.good{fill:var(--good)}.tree .dot.note{fill:var(--note)}.tree .dot.warn{fill:var(--warn)}.tree .dot.bad{fill:var(--bad)}.tree .dot.plain{fill:var(--plain)}
.tree .dot.virtual{fill:var(--card);stroke:var(--soft);stroke-dasharray:2 2}
.tree .group circle{fill:var(--soft)}
.tree .group text{fill:var(--soft);font-style:italic}
.tree a:hover .name{text-decoration:underline}
.tree .focus{fill:var(--focus)}
footer{margin:56px 0 0;color:var(--soft);font-size:13px}
@media (max-width:640px){main{padding:20px 14px 60px}.head .meta{margin-left:0;width:100%}}
@media print{:root{--bg:#fff;--card:#fff;--shadow:none}body{font-size:11pt}main{max-width:none;padding:0}nav,.filters{display:none!important}
.card,.tile,.treebox{break-inside:avoid;box-shadow:none}svg.tree{max-width:100%;height:auto}.treebox{overflow:visible;break-inside:auto}a{color:inherit}details:not([open])>summary{display:none}}
`.trim();
