# Words that stand on every page
skip-to-main = Go to the main part
back = Back
search = Search
lock = Lock
switch-person = Switch person
to-first-page = To the first page
no-go-back = No, go back
send-again = Send again
confirm-title = Confirm
practice-band = Practice mode. Nothing written here is sent anywhere.
practice-paper = For practice — not for care

road-connected = Connected
road-waiting = { $n ->
    [one] 1 item waiting
   *[other] { $n } items waiting
}
road-down = No link since { $since }
road-alone = Not joined to a higher level

time-now = just now
time-today = today
time-yesterday = yesterday
time-ago-minutes = { $n } min ago
time-ago-hours = { $n } h ago
time-ago-days = { $n } d ago

date-year = year
date-month = month
date-day = day

age-days = { $n ->
    [one] 1 day
   *[other] { $n } days
}
age-months = { $n ->
    [one] 1 month
   *[other] { $n } months
}
age-years = { $n ->
    [one] 1 year
   *[other] { $n } years
}
age-about = about { $n } years
age-unknown = age unknown
age-ahead = age unknown: the birth on record lies ahead, ask
age-too-old = age unknown: more than 120 by the record, ask

sex-female = female
sex-male = male
sex-other = other
sex-unknown = sex unknown

patient = Patient
patient-no-name = Name unknown
patient-mother = Mother
patient-mother-unknown = unknown
patient-provisional = provisional
patient-died = Died
allergy-known = Allergies:
allergy-not-asked = Allergies not asked yet
allergy-none = No known allergies

step-done = done
step-now = waiting
step-ahead = not yet

errors-title = { $n ->
    [one] Please mend 1 thing
   *[other] Please mend { $n } things
}
note-saved = Saved.
draft-saved = What you wrote is kept
draft-unsaved = What you wrote is not kept yet

print = Print
print-how = Prints on A4 paper (Ctrl+P)
printed-at = printed { $when }

stale-title = This page is too old
stale-send-again = What you wrote is still here. Press the button below to send it again.
stale-go-back = Go back, open the page anew and do it again.

trouble-not-found = There is no such page
trouble-not-found-do = Check the address, or look from the first page.
trouble-not-allowed = You may not do this
trouble-not-allowed-do = Switch to a person who may, or ask the one in charge.
trouble-too-large = What you sent is too large
trouble-too-large-do = Choose a smaller file, or send it in parts.
trouble-request = What you sent cannot be read
trouble-request-do = Go back and do it again.
trouble-broken = This could not be finished
trouble-broken-do = What was saved is safe. Try again in a while; if it goes on, tell the one in charge.

trouble-disk = This could not be saved
trouble-disk-do = The disk of this node takes nothing now. What was saved before is safe and can be read. Write on paper, and try again when the red line above is gone.
disk-full = The disk of this node is full: nothing new can be saved. Charts can be read. Call the administrator to make room; until then write on paper.
disk-read-only = The disk of this node cannot be written to: nothing new can be saved. Charts can be read. Call the administrator; until then write on paper.
disk-failing = The disk of this node reports errors: nothing new can be saved now. Charts can be read. Call the administrator at once; until then write on paper.
