// The rating page. A vote counts once the server says that it is stored; until then the clip stays.
const element = (id) => document.getElementById(id);
const key = new URLSearchParams(location.search).get("as");
const address = (path, more = {}) => `/api/${path}?` + new URLSearchParams({ as: key, ...more });

const LOOK = 300;     // ms that a clip is to be seen before a vote on it is taken, so that a key hit twice is one vote
const RETRY = 1000;   // ms
const ZOOMS = [1, 2, 3];

let grades = [], items = [], place = 0;   // items: {clip, showing, vote: {id, grade} or null}
let turn = 0;                             // counts the clips that were shown
let pending = null;                       // the vote that is on its way
let checking = null;                      // the question for votes of other windows that is on its way
let seen = Infinity;                      // when a vote on this clip is taken
let film = null, clock = 0, ticked = 0, drawn = -1, paused = false, speed = 1, zoom = 1;

class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

async function ask(url, options) {
  const answer = await fetch(url, options);   // a TypeError where no server answers
  const said = await answer.json();
  if (!answer.ok) throw new Refused(answer.status, said.error);
  return said;
}

// ---- the film

const films = new Map();   // of this and the next clip
function filmOf(clip) {
  if (!films.has(clip)) {
    const loading = load(clip);
    loading.catch(() => films.delete(clip));
    films.set(clip, loading);
    for (const old of films.keys()) if (films.size > 4) films.delete(old);
  }
  return films.get(clip);
}

async function load(clip) {
  const sent = await ask(address("film", { clip }));
  const pictures = await Promise.all(sent.frames.map(async (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return createImageBitmap(new Blob([bytes], { type: "image/png" }));
  }));
  return { ...sent, pictures };
}

function draw(now) {
  requestAnimationFrame(draw);
  if (!film) return;
  if (!paused) clock = (clock + (speed * (now - ticked)) / 1000) % film.seconds;
  ticked = now;
  const frame = Math.max(0, film.times.findLastIndex((time) => time <= clock));
  if (frame === drawn) return;
  element("film").getContext("2d").drawImage(film.pictures[frame], 0, 0);
  drawn = frame;
}

function resize() {
  if (!film) return;
  const { offsetWidth, offsetHeight } = element("stage");   // with its scroll bars, which come and go
  const fit = Math.min(offsetWidth / film.width, offsetHeight / film.height);
  element("film").style.width = `${Math.floor(film.width * fit * zoom)}px`;
  element("film").style.height = `${Math.floor(film.height * fit * zoom)}px`;
}

function setZoom(factor) {
  zoom = factor;
  element("zoom").firstChild.data = `Zoom ${zoom}×`;
  resize();
  const stage = element("stage");
  stage.scrollTo((stage.scrollWidth - stage.clientWidth) / 2, (stage.scrollHeight - stage.clientHeight) / 2);
}

// ---- the round

const firstOpen = () => {
  const open = items.findIndex((item) => !item.vote);
  return open < 0 ? items.length : open;
};

async function show(number) {
  place = number;
  const item = items[place], mine = ++turn;
  film = null;
  seen = Infinity;
  describe();
  say(item ? "" : `All ${items.length} are graded. Thank you! You can still go back and change a vote.`);
  element("film").style.visibility = "hidden";
  if (!item) return;
  try {
    const loaded = await filmOf(item.clip);
    if (turn !== mine) return;   // gone on meanwhile
    film = loaded;
    drawn = -1;
    clock = 0;
    ticked = performance.now();
    Object.assign(element("film"), { width: film.width, height: film.height });
    element("film").style.visibility = "";
    setZoom(zoom);
    const part = film.whole ? "" : ` The first ${document.body.dataset.longest} s of a longer clip.`;
    say(`Grade the sperm in the middle.${part}`);
  } catch (error) {
    if (turn !== mine) return;
    if (!(error instanceof Refused)) {
      say("No answer from the server; trying again …");
      setTimeout(() => turn === mine && show(place), RETRY);
      return;
    }
    say(`This clip cannot be shown: it ${error.message}.`);
  }
  seen = performance.now() + LOOK;
  const next = items[place + 1];
  if (next) filmOf(next.clip).catch(() => {});
}

function say(text) { element("note").textContent = text; }

function alarm(text) {
  element("alert").textContent = text;
  element("alert").hidden = !text;
}

function describe() {
  const item = items[place], given = pending ?? item?.vote, done = items.filter((other) => other.vote).length;
  element("count").textContent = `${done} of ${items.length}`;
  Object.assign(element("bar"), { value: done, max: items.length || 1 });
  for (const button of element("grades").children) {
    button.setAttribute("aria-pressed", given?.grade === button.dataset.grade);
    button.disabled = !item || Boolean(pending);
  }
  element("cannot").setAttribute("aria-pressed", given?.grade === null);
  element("cannot").disabled = !item || Boolean(pending);
  element("back").disabled = place === 0 || Boolean(pending);
  element("forward").disabled = !item?.vote || Boolean(pending);
  document.body.dataset.place = place;   // for those who look from outside
}

async function refresh() {
  const round = await ask(address("round"));
  if (!pending) ({ grades, items } = round);
}

async function vote(grade) {
  const mine = turn;
  if (!items[place] || pending || performance.now() < seen) return;
  await checking;
  if (turn !== mine || pending) return;   // another window has voted on this clip
  const item = items[place];
  pending = { id: crypto.randomUUID(), clip: item.clip, showing: item.showing, grade, replaces: item.vote?.id ?? null };
  describe();
  let problem = "";
  for (;;) {
    try {
      await ask(address("vote"), {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(pending),
      });
      item.vote = { id: pending.id, grade };
      break;
    } catch (error) {
      if (error instanceof Refused && error.status < 500) {
        problem = `Your vote was not taken: ${error.message}.`;
        break;
      }
      alarm("Your vote is not stored yet: " +
        (error instanceof Refused ? error.message : "the server does not answer. Start it again by the same command") +
        ". Trying again; leave this page open.");
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }
  pending = null;
  seen = Infinity;   // no vote until it is known what is shown next
  alarm(problem);
  if (problem) await (checking = refresh().catch(() => {}));   // no other check, which would leave the clip
  checking = null;
  show(problem ? place : firstOpen());
}

// Another window of the same rater may have gone on meanwhile: a vote waits until that is known.
async function check() {
  const open = place === firstOpen();
  await refresh().catch(() => {});
  checking = null;
  if (open && place !== firstOpen()) show(firstOpen());
  else describe();
}
addEventListener("focus", () => { if (!pending && !checking && items.length) checking = check(); });
addEventListener("beforeunload", (event) => { if (pending) event.preventDefault(); });
new ResizeObserver(resize).observe(element("stage"));   // also where a message takes some of its place

// ---- buttons and keys

function go(number) {
  alarm("");   // of the clip that was left
  show(number);
}

const commands = {
  back: () => { if (place > 0 && !pending) go(place - 1); },
  forward: () => { if (items[place]?.vote && !pending) go(place + 1); },
  pause: () => {
    paused = !paused;
    element("pause").firstChild.data = paused ? "Play" : "Pause";
  },
  speed: () => {
    speed = speed === 1 ? 0.5 : 1;
    element("speed").setAttribute("aria-pressed", speed !== 1);
  },
  zoom: () => setZoom(ZOOMS[(ZOOMS.indexOf(zoom) + 1) % ZOOMS.length]),
  cannot: () => vote(null),
};

async function start() {
  try {
    await refresh();
  } catch (error) {
    return alarm(error instanceof Refused ? error.message : "The server does not answer: reload the page later.");
  }
  const keys = new Map();
  for (const [id, command] of Object.entries(commands)) {
    element(id).addEventListener("click", command);
    keys.set(element(id).dataset.key, [command, element(id)]);
  }
  grades.forEach((grade, number) => {
    const button = document.createElement("button");
    button.dataset.grade = button.textContent = grade;
    button.addEventListener("click", () => vote(grade));
    // A letter or digit is its own key; names have the key of their place.
    const typed = grade.length === 1 ? grade.toLowerCase() : String(number + 1);
    const hint = document.createElement("kbd");
    hint.textContent = typed.toUpperCase();
    if (grade.length > 1) button.append(hint);
    keys.get(typed)?.[1].querySelector("kbd").remove();   // that command keeps its button alone
    keys.set(typed, [() => vote(grade), button]);
    element("grades").append(button);
  });
  addEventListener("keydown", (event) => {
    const [command] = keys.get(event.key.length === 1 ? event.key.toLowerCase() : event.key) ?? [];
    if (!command || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();   // space would also press the button that has the focus
    if (!event.repeat) command();
  });
  show(firstOpen());
  requestAnimationFrame(draw);
}
start();
