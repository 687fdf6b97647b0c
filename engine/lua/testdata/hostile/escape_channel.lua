-- expect: script
return channel.make():receive()
