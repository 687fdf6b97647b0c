-- expect: value
return (pcall(table.concat, {1, 2}, ',', -5, 100)) ~= nil
