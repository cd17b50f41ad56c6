"use strict";

// The engine sends the part of the page that changed; this puts it in its place, card by card,
// so that what a reader has opened, selected or focused elsewhere stays as it is.

const byId = (id) => document.getElementById(id);
const seen = new Map(); // a card's id and its HTML as the engine sent it

function keepOpened(card, old) {
  if (!old) return;
  for (const details of card.querySelectorAll("details")) {
    const before = old.querySelector(`details[data-key="${details.dataset.key}"]`);
    if (before) details.open = before.open;
  }
}

function show(html) {
  const next = new DOMParser().parseFromString(html, "text/html").getElementById("engine");
  if (next.dataset.version !== byId("engine").dataset.version) {
    location.reload(); // the script may be another, too
    return;
  }
  byId("summary").textContent = next.querySelector("#summary").textContent;
  const list = byId("endpoints");
  const cards = [...next.querySelectorAll("article")];
  const sent = cards.map((card) => [card.id, card.outerHTML]);
  const moved = cards.length !== list.children.length || cards.some((card, i) => list.children[i].id !== card.id);
  for (const [id, html] of sent) {
    if (seen.get(id) === html && !moved) continue;
    const card = next.querySelector("#" + CSS.escape(id));
    const old = byId(id);
    if (old && old.dataset.news !== card.dataset.news) byId("news").textContent = card.dataset.news;
    keepOpened(card, old);
    if (!moved) old.replaceWith(card);
  }
  if (moved) list.replaceChildren(...next.querySelector("#endpoints").children);
  seen.clear();
  for (const [id, html] of sent) seen.set(id, html);
}

function status(text, kind) {
  const live = byId("live");
  live.textContent = text;
  live.className = "badge " + kind;
  live.hidden = false;
}

for (const card of document.querySelectorAll("article")) seen.set(card.id, card.outerHTML);
const stream = new EventSource("/events");
stream.onopen = () => status("live", "good");
stream.onmessage = (event) => show(event.data);
stream.onerror = () => status("the engine does not answer", "bad");
