-- expect: script
while true do collectgarbage() end
