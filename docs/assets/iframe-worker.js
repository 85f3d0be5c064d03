// Browsers start no worker in a page from file://. There the script of the search runs in a hidden frame, as it would in a worker.
if (location.protocol === "file:")
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const script = new URL(url, location.href)
      const frame = document.createElement("iframe")
      frame.hidden = true
      const loaded = new Promise(resolve => frame.addEventListener("load", resolve, { once: true }))
      document.documentElement.append(frame)
      this.inside = loaded.then(async () => {
        const { contentWindow: inside, contentDocument: page } = frame
        const add = address => new Promise((resolve, reject) => {
          const element = page.createElement("script")
          element.src = new URL(address, script)
          element.onload = resolve
          element.onerror = reject
          page.body.append(element)
        })
        inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
        inside.importScripts = (...addresses) => addresses.reduce((before, each) => before.then(() => add(each)), Promise.resolve())
        await add(script)
        return inside
      })
    }
    set onmessage(listener) { this.addEventListener("message", listener) }
    postMessage(data) { this.inside.then(inside => inside.dispatchEvent(new inside.MessageEvent("message", { data }))) }
    terminate() {}
  }
