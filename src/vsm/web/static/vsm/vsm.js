/* Small comforts; every page works without them. */
(function () {
  "use strict";

  /* Tell the server the browser's zone, once, so that the next page shows times in it. A zone that was chosen stays. */
  var zone = "";
  try { zone = Intl.DateTimeFormat().resolvedOptions().timeZone || ""; } catch (e) { /* an old browser: times stay in the zone named on the page */ }
  if (/^[A-Za-z0-9_+\/-]+$/.test(zone) && !/(^|; )vsm_zone=/.test(document.cookie)) {
    document.cookie = "vsm_zone=" + zone + "; path=/; max-age=31536000; samesite=lax" + (location.protocol === "https:" ? "; secure" : "");
  }

  function closeMenus(except) {
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!except || !menu.contains(except)) { menu.open = false; }
    });
  }
  document.addEventListener("click", function (event) { closeMenus(event.target); });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") { return; }
    var menu = document.activeElement && document.activeElement.closest("details.menu[open]");
    closeMenus();
    if (menu) { menu.querySelector("summary").focus(); }
  });

  /* Wide screens show the filters open; browsers with ::details-content do that in CSS. */
  if (window.matchMedia("(min-width: 62rem)").matches && !(window.CSS && CSS.supports("selector(::details-content)"))) {
    document.querySelectorAll("details.filters").forEach(function (filters) { filters.open = true; });
  }
})();
