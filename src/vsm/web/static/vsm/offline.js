/* For who has signed in: says when a page is a kept copy, what waits, what was sent or refused; forgets at signing out. */
(function () {
  "use strict";
  var box = document.getElementById("offline"), root = document.documentElement;
  if (!box || !("serviceWorker" in navigator)) { return; }
  var warned = 0, later = 0, pause = 2, words = box.dataset, lists = document.querySelectorAll("[data-forms]");

  function say(text, link) {
    box.hidden = false;
    var line = document.createElement("p");
    line.textContent = text;
    if (link) {
      var to = document.createElement("a");
      to.href = link;
      to.textContent = words.see;
      line.append(" ", to);
    }
    box.append(line);
  }
  function moment(iso) { return new Date(iso).toLocaleString(root.lang, { dateStyle: "medium", timeStyle: "short" }); }

  function ask(message) {
    return navigator.serviceWorker.ready.then(function (registration) {
      return new Promise(function (resolve) {
        var line = new MessageChannel();
        line.port1.onmessage = function (event) { resolve(event.data); };
        registration.active.postMessage(message, [line.port2]);
      });
    });
  }

  function show(forms) {
    box.replaceChildren();
    box.hidden = true;
    if (root.dataset.kept) { say(words.kept.replace("{when}", moment(root.dataset.kept))); }
    var waiting = forms.filter(function (each) { return each.state === "waiting" || each.state === "signin"; }).length;
    var refused = forms.filter(function (each) { return each.state === "refused"; }).length;
    if (waiting && !lists.length) { say(words.waiting.replace("{n}", waiting), words.url); }
    if (refused && !lists.length) { say(words.refused.replace("{n}", refused), words.url); }
    lists.forEach(function (list) { fill(list, forms.filter(function (each) { return list.dataset.forms.split(" ").indexOf(each.state) >= 0; })); });
    tryAgain(waiting && navigator.onLine);
    if (warned && waiting) { say(words.leave.replace("{n}", waiting), words.url); }
  }

  /* A connection that has just come back often fails once more: while something waits here, it is tried again, ever less often. */
  function tryAgain(needed) {
    clearTimeout(later);
    pause = needed ? Math.min(pause * 2, 60) : 2;
    if (needed) { later = setTimeout(retry, pause * 500); }
  }
  function retry() { ask({ type: "retry" }).then(show); }

  function fill(list, forms) {
    list.replaceChildren();
    list.parentElement.hidden = !forms.length;
    forms.forEach(function (each) {
      var item = document.createElement("li"), title = document.createElement("span"), about = document.createElement("span");
      title.className = "title";
      about.className = "about";
      title.textContent = each.title;
      about.textContent = [moment(each.settled || each.at)].concat(each.told).join(" · ");
      item.append(title, about);
      if (each.state === "signin") { item.append(button(words.signin, function () { location.href = words.login; })); }
      if (each.state === "refused") { item.append(button(words.again, function () { location.href = each.url; })); }
      item.append(button(each.state === "sent" ? words.done : words.discard, function () { ask({ type: "discard", id: each.id }).then(show); }, each.title));
      list.append(item);
    });
  }

  function button(text, act, about) {
    var made = document.createElement("button");
    made.type = "button";
    made.className = "button";
    made.textContent = text;
    if (about) { made.setAttribute("aria-label", text + ": " + about); }
    made.addEventListener("click", act);
    return made;
  }

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (new URL(form.action).pathname === words.logout) { leave(event, form); return; }
    if (form.method === "post" && form.elements.delivery_key && !form.elements.form_title) {
      var title = document.createElement("input");
      title.type = "hidden";
      title.name = "form_title";
      title.value = document.title;
      form.append(title);
    }
  });

  /* Signing out forgets everything kept here; what still waits would be lost, so that is said first. */
  function leave(event, form) {
    event.preventDefault();
    ask({ type: "list" }).then(function (forms) {
      var waiting = forms.filter(function (each) { return each.state === "waiting" || each.state === "signin"; }).length;
      if (waiting && !warned) {
        warned = 1;
        show(forms);
        box.scrollIntoView();
        return;
      }
      ask({ type: "forget" }).then(function () { form.submit(); });
    });
  }

  navigator.serviceWorker.addEventListener("message", function (event) { if (event.data.type === "forms") { show(event.data.forms); } });
  window.addEventListener("online", retry);
  navigator.serviceWorker.register("/service-worker.js").then(function () {
    var saving = !!(navigator.connection && navigator.connection.saveData);
    return ask({ type: "here", reader: words.reader, language: root.lang, saving: saving });
  }).then(show).catch(function () { /* no service worker here: everything works without it */ });
})();
