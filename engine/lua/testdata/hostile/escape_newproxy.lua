-- expect: script
return newproxy(true)
