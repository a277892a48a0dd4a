<?php
/* PHPMailer (phpList and many a plugin send with it), a process and a kept connection each.
 *
 *   php phpmailer.php PORT MAILS CONNECTIONS built LETTER.json
 *
 * Each mail is composed from its text and HTML. Prints one line of JSON: {"mails", "seconds"} from the first
 * acceptance to the last.
 */
require '/usr/share/php/libphp-phpmailer/autoload.php';

[, $port, $mails, $connections, , $file] = $argv;
$letter = json_decode(file_get_contents($file), true);

function fill(array $pieces, array $person): string
{
    return implode(array_map(fn($piece) => is_string($piece) ? $piece : $person[$piece['spot']], $pieces));
}

/** Sends every so manieth mail; gives the times of the first acceptance and the last. */
function work(int $from, int $step, int $mails, int $port, array $letter): array
{
    $mailer = new PHPMailer\PHPMailer\PHPMailer(true);
    $mailer->isSMTP();
    $mailer->Host = '127.0.0.1';
    $mailer->Port = $port;
    $mailer->SMTPKeepAlive = true;
    $mailer->SMTPAutoTLS = false;
    $mailer->CharSet = 'utf-8';
    $mailer->Encoding = 'quoted-printable';
    $mailer->setFrom($letter['sender'], 'The Weekly Proof');
    $first = $last = null;
    for ($n = $from; $n < $mails; $n += $step) {
        $person = ['name' => "Reader $n", 'email' => "reader$n@readers.example", 'url' => $letter['url'] . $n];
        $mailer->clearAllRecipients();
        $mailer->clearCustomHeaders();
        $mailer->addAddress($person['email'], $person['name']);
        $mailer->addCustomHeader('List-Unsubscribe', "<{$person['url']}>");
        $mailer->addCustomHeader('List-Unsubscribe-Post', 'List-Unsubscribe=One-Click');
        $mailer->Subject = fill($letter['subject'], $person);
        $mailer->AltBody = fill($letter['text'], $person);
        $mailer->isHTML(true);
        $mailer->Body = fill($letter['html'], $person);
        $mailer->send();
        $last = hrtime(true);
        $first ??= $last;
    }
    $mailer->smtpClose();
    return [$first, $last];
}

$pipes = [];
for ($worker = 0; $worker < $connections; $worker++) {
    [$reading, $writing] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
    if (pcntl_fork() === 0) {
        fwrite($writing, json_encode(work($worker, (int) $connections, (int) $mails, (int) $port, $letter)));
        exit(0);
    }
    fclose($writing);
    $pipes[] = $reading;
}
$times = array_map(fn($pipe) => json_decode(stream_get_contents($pipe), true), $pipes);
while (pcntl_wait($status) > 0) {
    if ($status !== 0) {
        exit(1);
    }
}
$seconds = (max(array_column($times, 1)) - min(array_column($times, 0))) / 1e9;
echo json_encode(['mails' => $mails - 1, 'seconds' => $seconds]), "\n";
