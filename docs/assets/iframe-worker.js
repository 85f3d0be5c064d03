// Browsers start no worker in a page from file://. There the script of the search runs in a hidden frame, as a worker would.
if (location.protocol === "file:")
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      this.ready = new Promise(resolve => {
        frame.addEventListener("load", resolve, { once: true })
        document.head.append(frame)
      }).then(() => new Promise((resolve, reject) => {
        const inside = frame.contentWindow
        inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
        inside.importScripts = (...urls) => urls.reduce((before, each) => before.then(() => added(each)), Promise.resolve())
        const added = each => new Promise((done, failed) => {
          const script = frame.contentDocument.createElement("script")
          script.src = new URL(each, url)
          script.onload = done
          script.onerror = failed
          frame.contentDocument.body.append(script)
        })
        added(url).then(() => resolve(inside), reject)
      }))
    }
    set onmessage(listener) { this.addEventListener("message", listener) }
    postMessage(data) {
      this.ready.then(inside => inside.dispatchEvent(new inside.MessageEvent("message", { data })))
    }
    terminate() {}
  }
