// Lays what the page computed (a scene, or how to look at it) on the window, where viewer.html finds it.
export default function ({ data }) {
  window.thingsviz3d = { ...window.thingsviz3d, ...data };
  window.dispatchEvent(new Event("thingsviz3d"));
}
