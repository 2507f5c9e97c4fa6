// What the test says of the provider and of the client, and how the result goes back to it.
export const setting = JSON.parse(process.env.SETTING);

export function tell(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
